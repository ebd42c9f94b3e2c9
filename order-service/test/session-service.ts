import { SessionService, type SigningKeySchema } from "@3l1/gen/user/v1/session_service_pb.ts";
import {
  tokenAlgorithm,
  tokenAudience,
  tokenIssuer,
  tokenType,
} from "@3l1/kit/auth/access-token.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { createGrpcServer } from "@3l1/kit/grpc/server.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from "jose";
import { v7 as uuidv7 } from "uuid";

/** Stands in for the user-service, whose contract is all that matters here: it signs, and publishes its key. */
export interface SessionStandIn {
  readonly url: string;
  tokenFor(userId: string, isAdmin: boolean, lifeSeconds: number): Promise<string>;
  stop(): Promise<void>;
}

export async function startSessionStandIn(secretKeys: readonly string[]): Promise<SessionStandIn> {
  const { privateKey, publicKey } = await generateKeyPair(tokenAlgorithm, { crv: "Ed25519" });
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  const key = { id, publicKey: Buffer.from(jwk.x ?? "", "base64url") };
  const server = serveKeys([key], secretKeys);
  const { port } = await server.listen(0, "127.0.0.1");
  return {
    url: `http://127.0.0.1:${port}`,
    tokenFor: (userId, isAdmin, lifeSeconds) =>
      new SignJWT({ sid: uuidv7(), gen: 0, ep: 0, roles: isAdmin ? ["admin"] : [] })
        .setProtectedHeader({ alg: tokenAlgorithm, typ: tokenType, kid: id })
        .setIssuer(tokenIssuer)
        .setAudience(tokenAudience)
        .setSubject(userId)
        .setJti(uuidv7())
        .setIssuedAt()
        .setExpirationTime(`${lifeSeconds} s`)
        .sign(privateKey),
    stop: () => server.drain(0),
  };
}

function serveKeys(keys: MessageInitShape<typeof SigningKeySchema>[], secrets: readonly string[]) {
  const credential = createServiceCredential(secrets);
  return createGrpcServer({
    routes: (router) =>
      void router.service(SessionService, {
        getSigningKeys(_, { requestHeader }) {
          if (!credential.accepts(requestHeader.get(metadata.serviceCredential)))
            throw new ConnectError("no credential", Code.PermissionDenied);
          return { keys };
        },
      }),
  });
}
