import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Access, type MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";
import { bearerOf, type TokenVerifier } from "../auth/access-token.ts";
import { type Caller, callerKey } from "../auth/caller.ts";
import type { ServiceCredential } from "../auth/secrets.ts";
import { failure } from "../rpc/failure.ts";
import { metadata } from "../rpc/metadata.ts";

/**
 * A token may expire on the way from the gateway, which has just found it valid and would have had it
 * renewed otherwise: the wait in a queue and the difference of clocks are in this. Revocations are
 * remembered for longer.
 */
const leewayMs = 30_000;

export interface AuthenticateOptions {
  readonly verifier: TokenVerifier;
  readonly credential: ServiceCredential;
  /** The policies of the platform's own methods. Others (health, reflection) are open to operators. */
  readonly policies: ReadonlyMap<DescMethod, MethodPolicy>;
  /** Whether a genuine token has been revoked before its time. Default: none has. */
  readonly isRevoked?: (caller: Caller) => boolean;
  /** Milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Lets a call through only if its method's policy allows it, and leaves the caller in the context.
 * The user's own token is verified here again: no service believes a plain user id, whoever sends it.
 */
export function authenticate(options: AuthenticateOptions): Interceptor {
  return (next) => async (request) => {
    const access = options.policies.get(request.method)?.access;
    if (access === Access.INTERNAL) requireCredential(request.header, options.credential);
    else if (access !== undefined && access !== Access.ANYONE)
      request.contextValues.set(callerKey, await identify(request.header, access, options));
    return next(request);
  };
}

function requireCredential(header: Headers, credential: ServiceCredential): void {
  if (!credential.accepts(header.get(metadata.serviceCredential)))
    throw new ConnectError("only for processes of the platform", Code.PermissionDenied);
}

async function identify(
  header: Headers,
  access: Access,
  options: AuthenticateOptions,
): Promise<Caller | undefined> {
  const caller = await callerFrom(header, access, options);
  if (caller === undefined && access !== Access.SESSION)
    throw new ConnectError("log in first", Code.Unauthenticated);
  if (access === Access.ADMIN && !caller?.isAdmin)
    throw new ConnectError("for administrators only", Code.PermissionDenied);
  return caller;
}

/** `undefined` without a token, and where a session key will do also with a genuine one that has ended. */
async function callerFrom(
  header: Headers,
  access: Access,
  { verifier, isRevoked, now = Date.now }: AuthenticateOptions,
): Promise<Caller | undefined> {
  const authorization = header.get(metadata.authorization);
  if (authorization === null) return undefined;
  const verdict = await verifier.verify(bearerOf(authorization) ?? "");
  const isGood =
    verdict.state === "valid" ||
    (verdict.state === "expired" && verdict.token.expiresAt * 1000 + leewayMs > now());
  if (isGood && !isRevoked?.(verdict.token.caller)) return verdict.token.caller;
  if (verdict.state !== "invalid" && access === Access.SESSION) return undefined;
  throw failure(Code.Unauthenticated, "the access token is not valid", Reason.INVALID_TOKEN);
}
