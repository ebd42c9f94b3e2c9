import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

const nonceBytes = 12;
const tagBytes = 16;

/** Keeps a secret so that only whoever has a key can read it. */
export interface Seal {
  /** @param name what it belongs to: sealed bytes cannot be passed off under another name */
  seal(secret: Uint8Array, name: string): Buffer;
  /** `undefined` when no key opens it. `stale`: it was sealed with another than the first key. */
  open(sealed: Uint8Array, name: string): { secret: Buffer; stale: boolean } | undefined;
}

/**
 * AES-256-GCM: nonce (12 bytes), tag (16), ciphertext. Few secrets are ever sealed, so random nonces
 * do not meet.
 *
 * @param keys derived keys of 32 bytes; the first seals, all open
 */
export function createSeal(keys: readonly Buffer[]): Seal {
  const [first] = keys;
  if (first === undefined) throw new Error("no key to seal with");
  return {
    seal(secret, name) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv("aes-256-gcm", first, nonce).setAAD(Buffer.from(name));
      const text = Buffer.concat([cipher.update(secret), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), text]);
    },
    open(sealed, name) {
      for (const key of keys) {
        const secret = openWith(key, Buffer.from(sealed), name);
        if (secret !== undefined) return { secret, stale: key !== first };
      }
      return undefined;
    },
  };
}

function openWith(key: Buffer, sealed: Buffer, name: string): Buffer | undefined {
  const nonce = sealed.subarray(0, nonceBytes);
  const tag = sealed.subarray(nonceBytes, nonceBytes + tagBytes);
  try {
    const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: tagBytes })
      .setAAD(Buffer.from(name))
      .setAuthTag(tag);
    const text = sealed.subarray(nonceBytes + tagBytes);
    return Buffer.concat([decipher.update(text), decipher.final()]);
  } catch {
    return undefined;
  }
}
