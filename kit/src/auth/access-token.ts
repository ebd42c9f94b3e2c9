import { errors, type JWTPayload, jwtVerify } from "jose";
import { LRUCache } from "lru-cache";
import type { Caller } from "./caller.ts";
import type { SigningKeys } from "./signing-keys.ts";

/** `iss` of every access token. */
export const tokenIssuer = "3l1/user-service";
/** `aud` of every access token. */
export const tokenAudience = "3l1";
/** `typ` in the header of every access token (RFC 9068). */
export const tokenType = "at+jwt";
/** The only algorithm that is accepted (RFC 8037). */
export const tokenAlgorithm = "EdDSA";

/** How far ahead of ours the issuer's clock may be, in seconds. */
const skewSeconds = 30;
/** Verified tokens kept by their text: at about 1 KiB each, some 10 MiB. */
const cachedTokens = 10_000;
/** No token of ours is longer, in characters. */
const maxTokenLength = 4096;

/** What an access token says. */
export interface AccessToken {
  /** Whose it is. */
  readonly caller: Caller;
  /** `iat`, in seconds since 1970. */
  readonly issuedAt: number;
  /** `exp`, in seconds since 1970. */
  readonly expiresAt: number;
  /** `jti`. */
  readonly id: string;
}

/** What the verifier finds. An expired token is genuine apart from its age. */
export type TokenVerdict =
  | { readonly state: "valid" | "expired"; readonly token: AccessToken }
  | { readonly state: "invalid" };

/** Verifies access tokens without asking anyone. */
export interface TokenVerifier {
  /** Rejects only when the signing keys cannot be had. */
  verify(text: string): Promise<TokenVerdict>;
}

const invalid: TokenVerdict = { state: "invalid" };

/**
 * A verifier of access tokens (RFC 9068) with the algorithm pinned. Tokens that were found genuine
 * are remembered by their full text, so that only the first request with one pays for the signature;
 * expiry is looked at each time.
 *
 * @param now milliseconds since 1970
 */
export function createTokenVerifier(keys: SigningKeys, now: () => number): TokenVerifier {
  const genuine = new LRUCache<string, AccessToken>({ max: cachedTokens });
  return {
    async verify(text) {
      const known = genuine.get(text);
      const token = known ?? (await authenticate(text, keys, now));
      if (token === undefined) return invalid;
      if (known === undefined) genuine.set(text, token);
      return { state: token.expiresAt * 1000 > now() ? "valid" : "expired", token };
    },
  };
}

async function authenticate(
  text: string,
  keys: SigningKeys,
  now: () => number,
): Promise<AccessToken | undefined> {
  if (text.length > maxTokenLength) return undefined;
  let keysFailed: unknown;
  const key = async ({ kid = "" }: { kid?: string }) => {
    const found = await keys.find(kid).catch((error: unknown) => {
      keysFailed = error;
      throw error;
    });
    if (found === undefined) throw new errors.JWKSNoMatchingKey();
    return found;
  };
  try {
    const { payload } = await jwtVerify(text, key, {
      algorithms: [tokenAlgorithm],
      audience: tokenAudience,
      issuer: tokenIssuer,
      typ: tokenType,
      currentDate: new Date(now()),
    });
    return read(payload, now);
  } catch (error) {
    if (keysFailed !== undefined) throw keysFailed;
    return error instanceof errors.JWTExpired ? read(error.payload, now) : undefined;
  }
}

function read(claims: JWTPayload, now: () => number): AccessToken | undefined {
  const { sub, sid, gen, ep, roles, iat, exp, jti } = claims;
  const wellFormed =
    typeof sub === "string" &&
    typeof sid === "string" &&
    typeof gen === "number" &&
    typeof ep === "number" &&
    Array.isArray(roles) &&
    typeof iat === "number" &&
    typeof exp === "number" &&
    typeof jti === "string";
  if (!wellFormed || iat > now() / 1000 + skewSeconds) return undefined;
  const isAdmin = roles.includes("admin");
  const session = { sessionId: sid, generation: gen, epoch: ep };
  const caller: Caller = { userId: sub, ...session, isAdmin, expiresAtMs: exp * 1000 };
  return { caller, issuedAt: iat, expiresAt: exp, id: jti };
}

/** The token of an `Authorization: Bearer` header (RFC 6750), `undefined` without one. */
export function bearerOf(authorization: string | null | undefined): string | undefined {
  return /^Bearer +([\w.~+/=-]+) *$/i.exec(authorization ?? "")?.[1];
}
