import type { SigningKey } from "@3l1/gen/user/v1/session_service_pb.ts";
import { importJWK, type CryptoKey as VerifyKey } from "jose";

/** An unknown key id asks for the keys again at most this often, however many tokens name one. */
const refetchAfterMs = 30_000;

/** The public keys that verify access tokens. */
export interface SigningKeys {
  /** The key with this RFC 7638 thumbprint, `undefined` if there is none. Rejects when the keys cannot be had. */
  find(keyId: string): Promise<VerifyKey | undefined>;
  /** All keys, at most 30 s old unless they cannot be had, for a JWKS document (RFC 7517). */
  all(): Promise<readonly SigningKey[]>;
}

/**
 * Keeps the public keys that `fetchKeys` brings. They are fetched when first needed, and again when
 * a token names a key that is not among them: once for all who ask, and at most each 30 s. Nothing
 * that a token's header says but its key id is ever used.
 */
export function cacheSigningKeys(
  fetchKeys: () => Promise<readonly SigningKey[]>,
  now: () => number,
): SigningKeys {
  let keys: readonly SigningKey[] = [];
  let imported = new Map<string, VerifyKey>();
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  async function fetchAll(): Promise<void> {
    keys = await fetchKeys();
    imported = new Map(
      await Promise.all(keys.map(async (key) => [key.id, await toVerifyKey(key)] as const)),
    );
    fetchedAt = now();
  }
  const refresh = () => (underWay ??= fetchAll().finally(() => (underWay = undefined)));

  return {
    async find(keyId) {
      if (!imported.has(keyId) && now() - fetchedAt >= refetchAfterMs) await refresh();
      return imported.get(keyId);
    },
    async all() {
      if (now() - fetchedAt >= refetchAfterMs)
        await refresh().catch((error: unknown) => {
          if (keys.length === 0) throw error;
        });
      return keys;
    },
  };
}

/** A key as a JWK for Ed25519 (RFC 8037). */
export function toJwk(key: SigningKey) {
  const x = Buffer.from(key.publicKey).toString("base64url");
  return { kty: "OKP", crv: "Ed25519", x, kid: key.id, alg: "EdDSA", use: "sig" } as const;
}

async function toVerifyKey(key: SigningKey): Promise<VerifyKey> {
  return (await importJWK(toJwk(key), "EdDSA")) as VerifyKey;
}
