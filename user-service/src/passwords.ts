import argon2 from "argon2";
import bcrypt from "bcrypt";
import type { HashingPool } from "./hashing-pool.ts";
import { type Argon2Parameters, argon2Parameters } from "./limits.ts";

/** Hashes passwords and checks them. */
export interface Passwords {
  hash(password: string, signal?: AbortSignal): Promise<string>;
  /**
   * Whether a password has this hash. Without one it takes just as long, and the answer is no: so
   * time does not tell which accounts exist.
   */
  verify(password: string, hash: string | undefined, signal?: AbortSignal): Promise<boolean>;
  /** Whether a hash should be replaced, now that its password is at hand. */
  needsRehash(hash: string): boolean;
}

/**
 * Passwords are hashed with argon2id (RFC 9106), in Unicode's NFKC form, since keyboards disagree on
 * how to type the same letter. A bcrypt hash brought from elsewhere is checked as it is.
 */
export async function createPasswords(
  pool: HashingPool,
  parameters: Argon2Parameters = argon2Parameters,
): Promise<Passwords> {
  const make = (password: string) =>
    argon2.hash(password.normalize("NFKC"), { ...parameters, type: argon2.argon2id });
  const nobodysHash = await make("nobody has this password");

  return {
    hash: (password, signal) => pool.run(() => make(password), signal),
    async verify(password, hash, signal) {
      const matches = await pool.run(() => compare(password, hash ?? nobodysHash), signal);
      return matches && hash !== undefined;
    },
    needsRehash: (hash) => isBcrypt(hash) || argon2.needsRehash(hash, parameters),
  };
}

function compare(password: string, hash: string): Promise<boolean> {
  if (!isBcrypt(hash)) return argon2.verify(hash, password.normalize("NFKC"));
  // bcrypt stops at a NUL: "secret\0anything" would match the hash of "secret".
  return password.includes("\0") ? Promise.resolve(false) : bcrypt.compare(password, hash);
}

function isBcrypt(hash: string): boolean {
  return /^\$2[aby]\$/.test(hash);
}
