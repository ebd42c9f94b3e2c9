import type { SigningKeySchema } from "@3l1/gen/user/v1/session_service_pb.ts";
import {
  tokenAlgorithm,
  tokenAudience,
  tokenIssuer,
  tokenType,
} from "@3l1/kit/auth/access-token.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";

/** Signs access tokens as the user-service would. */
export interface TokenMaker {
  /** The public half, for GetSigningKeys. */
  readonly key: MessageInitShape<typeof SigningKeySchema>;
  issue(token?: TokenOptions): Promise<string>;
}

export interface TokenOptions {
  readonly userId?: string;
  readonly sessionId?: string;
  readonly generation?: number;
  /** Default: just a user. */
  readonly isAdmin?: boolean;
  /** How long it is good for yet; negative for one that has expired. Default 300. */
  readonly lifeSeconds?: number;
}

export async function createTokenMaker(): Promise<TokenMaker> {
  const { privateKey, publicKey } = await generateKeyPair(tokenAlgorithm, { crv: "Ed25519" });
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  let count = 0;
  return {
    key: { id, publicKey: Buffer.from(jwk.x ?? "", "base64url") },
    issue(options = {}) {
      const { userId = "ann", sessionId = "s1", generation = 0, lifeSeconds = 300 } = options;
      const roles = options.isAdmin ? ["user", "admin"] : ["user"];
      const now = Math.floor(Date.now() / 1000);
      return new SignJWT({ sid: sessionId, gen: generation, ep: 0, roles })
        .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: id })
        .setIssuer(tokenIssuer)
        .setAudience(tokenAudience)
        .setSubject(userId)
        .setJti(String(count++))
        .setIssuedAt(now - 600)
        .setExpirationTime(now + lifeSeconds)
        .sign(privateKey);
    },
  };
}
