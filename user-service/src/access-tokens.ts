import {
  tokenAlgorithm,
  tokenAudience,
  tokenIssuer,
  tokenType,
} from "@3l1/kit/auth/access-token.ts";
import { SignJWT } from "jose";
import { v7 as uuidv7 } from "uuid";
import type { SessionClaim } from "./session-key.ts";
import type { Keyring } from "./signing-keys.ts";

/** What a token is to say. */
export interface TokenClaims extends SessionClaim {
  readonly epoch: number;
  readonly role: "user" | "admin";
}

/** Issues access tokens (RFC 9068). */
export type TokenIssuer = (claims: TokenClaims) => Promise<string>;

/** @param now milliseconds since 1970 */
export function createTokenIssuer(
  keyring: Keyring,
  ttlSeconds: number,
  now: () => number,
): TokenIssuer {
  return ({ userId, sessionId, generation, epoch, role }) => {
    const { id, privateKey } = keyring.signer();
    const issuedAt = Math.floor(now() / 1000);
    return new SignJWT({ sid: sessionId, gen: generation, ep: epoch, roles: [role] })
      .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: id })
      .setIssuer(tokenIssuer)
      .setAudience(tokenAudience)
      .setSubject(userId)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .setJti(uuidv7())
      .sign(privateKey);
  };
}
