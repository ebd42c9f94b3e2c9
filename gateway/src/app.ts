import type { IncomingMessage, ServerResponse } from "node:http";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { PlatformService } from "@3l1/gen/platform/v1/platform_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import type { TokenVerifier } from "@3l1/kit/auth/access-token.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import type { SigningKeys } from "@3l1/kit/auth/signing-keys.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import type { Tracing } from "@3l1/kit/tracing/tracing.ts";
import type { Transport } from "@connectrpc/connect";
import fastifyCookie from "@fastify/cookie";
import type { Registry } from "@prometheus-io/client";
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from "fastify";
import { apiDocs } from "./api-docs.ts";
import { BodyPlaces } from "./body-places.ts";
import { createClientErrors } from "./client-error.ts";
import type { GatewayConfig } from "./config.ts";
import { connect } from "./connect.ts";
import { webConsole } from "./console.ts";
import { type EdgeMetrics, registerEdgeMetrics } from "./edge-metrics.ts";
import { createForwarder } from "./forward.ts";
import { jwks } from "./jwks.ts";
import { createLimitCounter, type LimitCounter } from "./limit-counter.ts";
import * as limits from "./limits.ts";
import { LoadShedding } from "./load-shedding.ts";
import { sampleLoop } from "./loop-sampler.ts";
import { openApi } from "./openapi.ts";
import { accessLog, logWhenDone } from "./plugins/access-log.ts";
import { authenticate } from "./plugins/authenticate.ts";
import { chunkLimit } from "./plugins/chunk-limit.ts";
import { compress } from "./plugins/compress.ts";
import { cors } from "./plugins/cors.ts";
import { csrf } from "./plugins/csrf.ts";
import { drainHeader } from "./plugins/drain-header.ts";
import { host } from "./plugins/host.ts";
import { ipLimit } from "./plugins/ip-limit.ts";
import { jsonBody } from "./plugins/json-body.ts";
import { metrics } from "./plugins/metrics.ts";
import { problemDetails, sendProblem } from "./plugins/problem-details.ts";
import { rateLimit } from "./plugins/rate-limit.ts";
import { requestId, requestIdOf, traceparentOf } from "./plugins/request-id.ts";
import { requestTarget } from "./plugins/request-target.ts";
import { routeOptions } from "./plugins/route-options.ts";
import { securityHeaders } from "./plugins/security-headers.ts";
import { streamLimit } from "./plugins/stream-limit.ts";
import { throttle } from "./plugins/throttle.ts";
import { unreadBody } from "./plugins/unread-body.ts";
import { userLimit } from "./plugins/user-limit.ts";
import { rest } from "./rest.ts";
import { createSessionConfirmation } from "./session-confirmation.ts";
import { createSessionCookie } from "./session-cookie.ts";
import { createSessionRenewal } from "./session-renewal.ts";
import { endOfStreams } from "./stream-end.ts";

/** What the gateway is built from. Who opens these things also closes them. */
export interface AppOptions {
  readonly config: GatewayConfig;
  readonly logger: Logger;
  readonly registry: Registry;
  /** Undefined: off. */
  readonly tracing?: Tracing | undefined;
  /** Aborted once the process is told to end. */
  readonly signal: AbortSignal;
  /** For the rate limits. It fails fast. */
  readonly redis: RedisClient;
  readonly userService: Transport;
  readonly orderService: Transport;
  /** The way to what the gateway implements itself. */
  readonly platformService: Transport;
  readonly keys: SigningKeys;
  readonly verifier: TokenVerifier;
  /** What proves to a service that it is us. */
  readonly credential: string;
  /** Tokens that were revoked before their time. */
  readonly revocations: Pick<Revocations, "isRevoked" | "apply" | "silentMs">;
}

/** The gateway, ready to listen: every step of a request's way, in its order. */
export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { config, logger, registry, tracing, signal, credential, verifier } = options;
  const origins = config.CORS_ORIGINS;
  const cookie = createSessionCookie(config.COOKIE_SECURE);
  const edge = registerEdgeMetrics(registry);
  const app = createServer(options);

  await app.register(routeOptions);
  await app.register(requestId, { tracing });
  await app.register(accessLog);
  await app.register(metrics, { registry });
  await app.register(problemDetails);
  await app.register(securityHeaders);
  await app.register(host);
  await app.register(requestTarget);
  await app.register(drainHeader, { signal });
  await app.register(chunkLimit);
  await app.register(unreadBody);
  await app.register(compress);
  await app.register(fastifyCookie, { hook: false });
  await app.register(cors, { origins });
  await app.register(rateLimit, {
    counter: countLimits(options, edge),
    onVerdict: edge.limitVerdict,
    perMinute: {
      ip: config.RATE_LIMIT_IP_PER_MINUTE,
      user: config.RATE_LIMIT_USER_PER_MINUTE,
      login: config.RATE_LIMIT_LOGIN_PER_MINUTE,
    },
  });
  await app.register(ipLimit);
  await app.register(throttle, {
    maxConcurrentRequests: config.MAX_CONCURRENT_REQUESTS,
    metrics: edge,
    shedding: watchLoop(app),
  });
  await app.register(csrf, { origins });
  await app.register(authenticate, {
    verifier,
    renewal: createSessionRenewal(options.userService, verifier, edge.renewalEnded),
    confirmation: createSessionConfirmation({ transport: options.userService, logger, signal }),
    cookie,
    credential,
    revocations: options.revocations,
  });
  await app.register(userLimit);
  await app.register(streamLimit);
  const places = new BodyPlaces(limits.largeBodyPlaces);
  await app.register(jsonBody, { places });
  const services = [
    { service: UserService, transport: options.userService },
    { service: OrderService, transport: options.orderService },
    { service: PlatformService, transport: options.platformService },
  ];
  const forwarder = createForwarder({
    cookie,
    credential,
    revocations: options.revocations,
    onStreamCut: edge.streamCut,
  });
  const ending = endOfStreams(signal);
  await app.register(rest, { services, forwarder, ending });
  await app.register(connect, { services, forwarder, ending, places });
  await app.register(jwks, { keys: options.keys });
  await app.register(openApi);
  await app.register(apiDocs);
  await app.register(webConsole);
  await app.ready();
  return app;
}

/** Knows what the event loop has time for, as long as the server is open. */
function watchLoop(app: FastifyInstance): LoadShedding {
  const shedding = new LoadShedding();
  const sampling = sampleLoop((reading) => shedding.sample(reading));
  app.addHook("onClose", async () => sampling.stop());
  return shedding;
}

function countLimits({ redis }: AppOptions, { limitFallback }: EdgeMetrics): LimitCounter {
  const now = () => performance.now();
  return createLimitCounter({ redis, now, onFallback: limitFallback });
}

/** A path that cannot be decoded meets no route, and none of the steps above. */
function refuseUrl(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  request.traceparent = traceparentOf(request.raw);
  logWhenDone(request, reply);
  reply.header(metadata.requestId, request.id);
  reply.header(metadata.traceparent, request.traceparent);
  sendProblem(error, request, reply);
}

function createServer({ config, logger }: AppOptions): FastifyInstance {
  const clientErrors = createClientErrors();
  const app = Fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (parent) => parent,
    genReqId: requestIdOf,
    trustProxy: config.TRUST_PROXY.length > 0 ? [...config.TRUST_PROXY] : false,
    bodyLimit: limits.maxBodyBytes,
    requestTimeout: limits.requestTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    return503OnClosing: false,
    clientErrorHandler: clientErrors.handle,
    frameworkErrors: refuseUrl,
    http: {
      // Node's own refusal has no body; host.ts says it in ours.
      requireHostHeader: false,
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: limits.requestTimeoutMs,
      connectionsCheckingInterval: limits.connectionsCheckingIntervalMs,
    },
  });
  clientErrors.watch(app.server);
  app.server.prependListener("request", (_request: IncomingMessage, response: ServerResponse) => {
    response.setMaxListeners(limits.maxResponseListeners);
  });
  return app as unknown as FastifyInstance;
}
