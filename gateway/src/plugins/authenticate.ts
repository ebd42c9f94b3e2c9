import type { IncomingMessage } from "node:http";
import { Access, type MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { bearerOf, type TokenVerdict, type TokenVerifier } from "@3l1/kit/auth/access-token.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel as IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import type { FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { addSessionMetadata, type CallMetadata, traceMetadata } from "../caller-metadata.ts";
import { maxRevocationSilenceMs } from "../limits.ts";
import { badRequest, invalidToken, loginRequired, revocationsUnknown } from "../refusal.ts";
import type { SessionConfirmation } from "../session-confirmation.ts";
import type { SessionCookie } from "../session-cookie.ts";
import { type SessionRenewal, signingKeysUnavailable } from "../session-renewal.ts";

/** Who asks, as far as it is known. */
export interface Identity {
  /** Whose valid access token came, or was just issued for the session key. */
  readonly caller?: Caller;
  /** The access token to hand on. On a public route whatever came as bearer, good or not. */
  readonly token?: string;
  /** The session key in the cookie. */
  readonly sessionKey?: string;
}

export interface AuthenticateOptions {
  readonly verifier: TokenVerifier;
  readonly renewal: SessionRenewal;
  readonly confirmation: SessionConfirmation;
  readonly cookie: SessionCookie;
  /** What proves to the user-service that it is us. */
  readonly credential: string;
  readonly revocations: Pick<Revocations, "isRevoked" | "silentMs">;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Set on routes with a policy; `null` elsewhere. */
    identity: Identity | null;
  }
  interface FastifyContextConfig {
    /** The method that the route serves. Without one a route is public. */
    rpc?: DescMethod;
    /** That method's policy. */
    policy?: MethodPolicy;
  }
}

const safeVerbs: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

interface Credentials {
  readonly authorization: string | undefined;
  readonly sessionKey: string | undefined;
}

/**
 * Finds out who asks, as the method's policy wants it: by the access token alone while it is valid, by
 * the session key once it has expired, whose holder then gets a new token on the same answer, and never
 * by the session key when the token is a bad one.
 */
export const authenticate = fastifyPlugin<AuthenticateOptions>(
  async (app, options) => {
    app.decorateRequest("identity", null);
    app.addHook("onRequest", async (request, reply) => {
      const { policy } = request.routeOptions.config;
      if (policy === undefined) return;
      const credentials = readCredentials(request.raw, options.cookie);
      request.identity =
        policy.access === Access.ANYONE
          ? await admitAnyone(request, policy, credentials, options)
          : await identify(request, reply, policy, credentials, options);
    });
  },
  { name: "authenticate", dependencies: ["csrf", "request-id", "@fastify/cookie"] },
);

function readCredentials(request: IncomingMessage, cookie: SessionCookie): Credentials {
  const given = request.headersDistinct.authorization ?? [];
  if (given.length > 1) throw badRequest("the authorization header is there twice");
  return { authorization: given[0] || undefined, sessionKey: cookie.read(request) };
}

async function admitAnyone(
  request: FastifyRequest,
  policy: MethodPolicy,
  { authorization, sessionKey }: Credentials,
  { verifier }: AuthenticateOptions,
): Promise<Identity> {
  if (policy.login) await refuseForgedLogin(request, authorization, verifier);
  const token = bearerOf(authorization);
  return { ...(token && { token }), ...(sessionKey && { sessionKey }) };
}

/** A page that logs its visitors in as somebody else learns what they do. A genuine token is proof enough. */
async function refuseForgedLogin(
  request: FastifyRequest,
  authorization: string | undefined,
  verifier: TokenVerifier,
): Promise<void> {
  try {
    request.server.refuseCrossSite(request);
  } catch (error) {
    if (authorization === undefined) throw error;
    if ((await verify(authorization, verifier)).state === "invalid") throw error;
  }
}

async function identify(
  request: FastifyRequest,
  reply: FastifyReply,
  policy: MethodPolicy,
  credentials: Credentials,
  options: AuthenticateOptions,
): Promise<Identity> {
  const { authorization, sessionKey } = credentials;
  if (authorization === undefined) {
    if (sessionKey === undefined) throw loginRequired();
    if (!safeVerbs.has(request.method)) request.server.refuseCrossSite(request);
    return goOn(request, reply, policy, sessionKey, undefined, options);
  }
  const verdict = await verify(authorization, options.verifier);
  if (verdict.state === "invalid") throw invalidToken();
  const { caller } = verdict.token;
  const given = { token: bearerOf(authorization) as string, ...(sessionKey && { sessionKey }) };
  const isRevoked = options.revocations.isRevoked(caller);
  const isGood = verdict.state === "valid" && !isRevoked;
  if (policy.access === Access.SESSION) return isGood ? { caller, ...given } : given;
  if (isGood) {
    requireFreshRevocations(request, options);
    options.confirmation.seen(caller, () => sessionMetadata(request, undefined, options));
    return { caller, ...given };
  }
  if (isRevoked) throw invalidToken("the access token has been revoked");
  if (sessionKey === undefined) throw invalidToken("the access token has expired");
  return goOn(request, reply, policy, sessionKey, caller, options);
}

/** Goes on by the session key: it is enough for what deals with the session itself, else it buys a token. */
async function goOn(
  request: FastifyRequest,
  reply: FastifyReply,
  policy: MethodPolicy,
  sessionKey: string,
  expected: Caller | undefined,
  options: AuthenticateOptions,
): Promise<Identity> {
  if (policy.access === Access.SESSION) return { sessionKey };
  const header = sessionMetadata(request, sessionKey, options);
  const renewed = await options.renewal.renew({ sessionKey, expected, header });
  reply.header("x-access-token", renewed.token);
  reply.header("x-access-token-expires-in", renewed.tokenExpiresInSeconds);
  options.cookie.write(reply, renewed.header);
  const current = renewed.header.get(metadata.sessionKey) || sessionKey;
  return { caller: renewed.caller, token: renewed.token, sessionKey: current };
}

function sessionMetadata(
  request: FastifyRequest,
  sessionKey: string | undefined,
  { credential }: AuthenticateOptions,
): CallMetadata {
  const header = traceMetadata(request);
  addSessionMetadata(header, request, credential, sessionKey);
  return header;
}

async function verify(authorization: string, verifier: TokenVerifier): Promise<TokenVerdict> {
  try {
    return await verifier.verify(bearerOf(authorization) ?? "");
  } catch (error) {
    if (error instanceof ConnectError) throw signingKeysUnavailable();
    throw error;
  }
}

/** What only reads may go on while revocations cannot be heard of: a token dies within minutes anyway. */
function requireFreshRevocations(request: FastifyRequest, { revocations }: AuthenticateOptions) {
  const reads = request.routeOptions.config.rpc?.idempotency === IdempotencyLevel.NO_SIDE_EFFECTS;
  if (!reads && revocations.silentMs() > maxRevocationSilenceMs) throw revocationsUnknown();
}
