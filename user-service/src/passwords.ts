import type { HashingPool } from "./hashing-pool.ts";
import type { HashingProcess } from "./hashing-process.ts";
import { type Argon2Parameters, argon2Parameters } from "./limits.ts";
import { isOutdated } from "./password-hash.ts";

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
 * Passwords are hashed with argon2id, when their turn comes in the pool. A bcrypt hash brought from
 * elsewhere is checked as it is.
 */
export async function createPasswords(
  pool: HashingPool,
  hashing: HashingProcess,
  parameters: Argon2Parameters = argon2Parameters,
): Promise<Passwords> {
  const hash = (password: string, signal?: AbortSignal) =>
    pool.run(() => hashing.hash(password, parameters), signal);
  const nobodysHash = await hash("nobody has this password");

  return {
    hash,
    async verify(password, knownHash, signal) {
      const compare = () => hashing.matches(password, knownHash ?? nobodysHash);
      return (await pool.run(compare, signal)) && knownHash !== undefined;
    },
    needsRehash: (knownHash) => isOutdated(knownHash, parameters),
  };
}
