import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { SessionService, type SigningKey } from "@3l1/gen/user/v1/session_service_pb.ts";
import type { ServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { Code, createClient, type Transport } from "@connectrpc/connect";

/**
 * Asks the user-service for the public keys that verify access tokens.
 *
 * @throws ConnectError `unavailable` with REASON_SIGNING_KEYS_UNAVAILABLE, whatever kept it from answering
 */
export function createKeyFetcher(
  transport: Transport,
  credential: ServiceCredential,
): () => Promise<readonly SigningKey[]> {
  const client = createClient(SessionService, transport);
  const headers = { [metadata.serviceCredential]: credential.value };
  return async () => {
    try {
      return (await client.getSigningKeys({}, { headers })).keys;
    } catch (error) {
      throw signingKeysUnavailable(error);
    }
  };
}

function signingKeysUnavailable(cause: unknown) {
  const message = "the keys that verify access tokens cannot be had";
  const error = failure(Code.Unavailable, message, Reason.SIGNING_KEYS_UNAVAILABLE, 1000);
  error.cause = cause;
  return error;
}
