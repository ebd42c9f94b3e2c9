import { createHash, createHmac, timingSafeEqual } from "node:crypto";

const version = 1;
const keyIdBytes = 4;
const uuidBytes = 16;
const macBytes = 32;
const userIdAt = 1 + keyIdBytes;
const sessionIdAt = userIdAt + uuidBytes;
const generationAt = sessionIdAt + uuidBytes;
const macAt = generationAt + 4;
const totalBytes = macAt + macBytes;
const pattern = /^[\w-]{98}$/;

/** What a session key says: it opens this session, if the session is at this generation. */
export interface SessionClaim {
  readonly userId: string;
  readonly sessionId: string;
  /** Counts the keys of a session, from 0. */
  readonly generation: number;
}

/** Makes and checks session keys. */
export interface SessionKeys {
  /** The same claim always gives the same key, as long as the first secret stays. */
  encode(claim: SessionClaim): string;
  /** `undefined` for whatever was not made with one of our secrets. */
  decode(text: string): SessionClaim | undefined;
}

/**
 * A session key is derived, not stored: base64url of version (1 byte), key id (4), user (16),
 * session (16), generation (4, big-endian) and an HMAC-SHA-256 of all that (32). So whoever reads
 * Redis learns no key, a forged key is refused before anything is looked up, and a key whose answer
 * was lost can be computed again.
 *
 * @param keys derived keys; the first signs, all verify
 */
export function createSessionKeys(keys: readonly Buffer[]): SessionKeys {
  const named = keys.map((key) => ({ key, id: keyId(key) }));
  const [first] = named;
  if (first === undefined) throw new Error("no key for session keys");
  return {
    encode(claim) {
      const bytes = Buffer.alloc(totalBytes);
      bytes[0] = version;
      first.id.copy(bytes, 1);
      uuidToBytes(claim.userId).copy(bytes, userIdAt);
      uuidToBytes(claim.sessionId).copy(bytes, sessionIdAt);
      bytes.writeUInt32BE(claim.generation, generationAt);
      mac(first.key, bytes).copy(bytes, macAt);
      return bytes.toString("base64url");
    },
    decode(text) {
      if (!pattern.test(text)) return undefined;
      const bytes = Buffer.from(text, "base64url");
      // The last character has bits to spare: a key has one spelling all the same.
      if (bytes.toString("base64url") !== text) return undefined;
      const id = bytes.subarray(1, userIdAt);
      const key = named.find((each) => each.id.equals(id))?.key;
      if (key === undefined || bytes[0] !== version) return undefined;
      if (!timingSafeEqual(mac(key, bytes), bytes.subarray(macAt))) return undefined;
      return {
        userId: bytesToUuid(bytes.subarray(userIdAt, sessionIdAt)),
        sessionId: bytesToUuid(bytes.subarray(sessionIdAt, generationAt)),
        generation: bytes.readUInt32BE(generationAt),
      };
    },
  };
}

/** Tells which secret made a key, also after others have come before it. Says nothing about the secret. */
function keyId(key: Buffer): Buffer {
  return createHash("sha256").update("key id").update(key).digest().subarray(0, keyIdBytes);
}

function mac(key: Buffer, bytes: Buffer): Buffer {
  return createHmac("sha256", key).update(bytes.subarray(0, macAt)).digest();
}

function uuidToBytes(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll("-", ""), "hex");
}

function bytesToUuid(bytes: Buffer): string {
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
