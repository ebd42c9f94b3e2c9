import { type Argon2Algorithm, argon2Sync, randomBytes, timingSafeEqual } from "node:crypto";
import type { Argon2Parameters } from "./limits.ts";

const algorithm: Argon2Algorithm = "argon2id";
/** Of argon2, the only one that Node.js knows: 1.3. */
const version = 0x13;
const saltBytes = 16;
const hashBytes = 32;

/** The parts of a PHC string: `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`. */
const phc = /^\$argon2id\$v=19\$([mtp=\d,]+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

interface Argon2Hash extends Argon2Parameters {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Hashes a password with argon2id and a salt of its own. Takes all of the thread meanwhile. */
export function hashPassword(password: string, parameters: Argon2Parameters): string {
  const salt = randomBytes(saltBytes);
  const hash = argon2id(password, { ...parameters, salt }, hashBytes);
  const { memoryCost, timeCost, parallelism } = parameters;
  const costs = `m=${memoryCost},t=${timeCost},p=${parallelism}`;
  return `$${algorithm}$v=${version}$${costs}$${base64(salt)}$${base64(hash)}`;
}

/**
 * Whether a password has this hash of {@link hashPassword}. Takes all of the thread meanwhile.
 *
 * @throws if it is none
 */
export function hasHash(password: string, phcString: string): boolean {
  const parts = parse(phcString);
  if (parts === undefined) throw new Error("a password's hash is of no kind that is known here");
  return timingSafeEqual(argon2id(password, parts, parts.hash.length), parts.hash);
}

/** Whether a hash was made with other parameters, or by other means. */
export function isOutdated(phcString: string, parameters: Argon2Parameters): boolean {
  const parts = parse(phcString);
  const { memoryCost, timeCost, parallelism } = parameters;
  return (
    parts?.memoryCost !== memoryCost ||
    parts.timeCost !== timeCost ||
    parts.parallelism !== parallelism
  );
}

export function isBcrypt(hash: string): boolean {
  return /^\$2[aby]\$/.test(hash);
}

/** In Unicode's NFKC form, since keyboards disagree on how to type the same letter. RFC 9106. */
function argon2id(password: string, parts: Omit<Argon2Hash, "hash">, tagLength: number): Buffer {
  return argon2Sync(algorithm, {
    message: password.normalize("NFKC"),
    nonce: parts.salt,
    memory: parts.memoryCost,
    passes: parts.timeCost,
    parallelism: parts.parallelism,
    tagLength,
  });
}

function parse(phcString: string): Argon2Hash | undefined {
  const [, costs = "", salt = "", hash = ""] = phc.exec(phcString) ?? [];
  // Not everybody writes them in the same order.
  const cost = (name: string) => Number(new RegExp(`\\b${name}=(\\d+)`).exec(costs)?.[1]);
  const [memoryCost, timeCost, parallelism] = [cost("m"), cost("t"), cost("p")];
  if (Number.isNaN(memoryCost + timeCost + parallelism)) return undefined;
  const bytes = (text: string) => Buffer.from(text, "base64");
  return { memoryCost, timeCost, parallelism, salt: bytes(salt), hash: bytes(hash) };
}

function base64(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
