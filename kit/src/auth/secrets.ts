import { hkdfSync, timingSafeEqual } from "node:crypto";

/** What a key derived from `SECRET_KEYS` is for. A key of one purpose never serves another. */
export type Purpose = "session-key" | "page-token" | "signing-key-seal" | "service-credential";

/**
 * The keys of one purpose, one for each secret, in the same order: the first is used, all are
 * accepted. HKDF-SHA-256 (RFC 5869), 32 bytes each.
 */
export function deriveKeys(secrets: readonly string[], purpose: Purpose): Buffer[] {
  return secrets.map((secret) =>
    Buffer.from(hkdfSync("sha256", secret, "", `3l1 ${purpose} v1`, 32)),
  );
}

/** Proves to a service that the caller is another process of the platform. */
export interface ServiceCredential {
  /** What to send. */
  readonly value: string;
  /** Whether a received value is good, in constant time. Values of retired secrets are. */
  accepts(value: string | null | undefined): boolean;
}

export function createServiceCredential(secrets: readonly string[]): ServiceCredential {
  const keys = deriveKeys(secrets, "service-credential");
  return {
    value: keys[0]?.toString("base64url") ?? "",
    accepts(value) {
      const given = Buffer.from(value ?? "", "base64url");
      return keys.some((key) => key.length === given.length && timingSafeEqual(key, given));
    },
  };
}
