import {
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  type KeyObject,
} from "node:crypto";
import { deriveKeys } from "@3l1/kit/auth/secrets.ts";

// Written once more from the description in docs/authentication.md: the stories would not notice
// otherwise if a format changed that outlives a release.

/** A session key, as whoever has the secret could make one. */
export function makeSessionKey(
  secret: string,
  { userId, sessionId, generation }: { userId: string; sessionId: string; generation: number },
): string {
  const [key = Buffer.alloc(0)] = deriveKeys([secret], "session-key");
  const id = createHash("sha256").update("key id").update(key).digest().subarray(0, 4);
  const uuid = (text: string) => Buffer.from(text.replaceAll("-", ""), "hex");
  const count = Buffer.alloc(4);
  count.writeUInt32BE(generation);
  const claim = Buffer.concat([Buffer.of(1), id, uuid(userId), uuid(sessionId), count]);
  const mac = createHmac("sha256", key).update(claim).digest();
  return Buffer.concat([claim, mac]).toString("base64url");
}

/** The private half of a signing key, as PostgreSQL has it: nonce (12 bytes), tag (16), ciphertext. */
export function openSigningKey(secret: string, id: string, sealed: Uint8Array): KeyObject {
  const [key = Buffer.alloc(0)] = deriveKeys([secret], "signing-key-seal");
  const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, 12))
    .setAAD(Buffer.from(id))
    .setAuthTag(sealed.subarray(12, 28));
  const der = Buffer.concat([decipher.update(sealed.subarray(28)), decipher.final()]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}
