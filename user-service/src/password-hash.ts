import argon2 from "argon2";
import type { Argon2Parameters } from "./limits.ts";

/** Whether a hash was made with other parameters, or by other means. */
export function isOutdated(hash: string, parameters: Argon2Parameters): boolean {
  return isBcrypt(hash) || argon2.needsRehash(hash, parameters);
}

export function isBcrypt(hash: string): boolean {
  return /^\$2[aby]\$/.test(hash);
}
