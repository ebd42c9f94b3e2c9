import type { AddressInfo } from "node:net";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { createTokenVerifier } from "@3l1/kit/auth/access-token.ts";
import type { Revocation } from "@3l1/kit/auth/revocations.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { cacheSigningKeys } from "@3l1/kit/auth/signing-keys.ts";
import { loadConfig } from "@3l1/kit/config.ts";
import { createUpstream } from "@3l1/kit/resilience/upstream.ts";
import { openRedis, redisReady } from "@3l1/kit/stores/redis.ts";
import { createClient } from "@connectrpc/connect";
import { Registry } from "@prometheus-io/client";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { buildApp } from "../src/app.ts";
import { settings } from "../src/config.ts";
import { createPlatformService } from "../src/platform-service.ts";
import { type Call, type Handlers, startServices } from "./services.ts";
import { createTokenMaker, type TokenMaker } from "./tokens.ts";

const secretKey = "a secret of the tests that is longer than 32 characters";

/** A gateway on a free port, before stand-ins for its services and a real Redis. */
export interface TestGateway extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly app: FastifyInstance;
  readonly tokens: TokenMaker;
  readonly credential: string;
  /** What the services were asked. */
  readonly calls: Call[];
  /** What was logged. */
  readonly lines: Record<string, unknown>[];
  readonly registry: Registry;
  /** Takes a sample of the gateway's health. */
  sampleHealth(): Promise<void>;
  /** What the gateway was told of as revoked. */
  readonly revocations: Revocation[];
  /** Tells the gateway that it is to end. */
  readonly ending: AbortController;
  /** Takes the services away. */
  stopServices(): Promise<void>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** A request with a JSON body. */
  send(method: string, path: string, body: unknown, headers?: HeadersOf): Promise<Response>;
}

type HeadersOf = Record<string, string>;
type RequestInit = NonNullable<Parameters<typeof fetch>[1]>;

export interface GatewayOptions extends Handlers {
  /** Settings, by their names. */
  readonly env?: Record<string, string>;
  /** Whether a token counts as revoked. */
  readonly isRevoked?: () => boolean;
  /** For how long nothing was heard of revocations. */
  readonly silentMs?: () => number;
}

const quiet = {
  SECRET_KEYS: secretKey,
  RATE_LIMIT_IP_PER_MINUTE: "0",
  RATE_LIMIT_USER_PER_MINUTE: "0",
  RATE_LIMIT_LOGIN_PER_MINUTE: "0",
};

/** @param redisUrl `TEST_REDIS_URL` */
export async function startGateway(
  redisUrl: string | undefined,
  options: GatewayOptions = {},
): Promise<TestGateway> {
  await using opened = new AsyncDisposableStack();
  const tokens = await createTokenMaker();
  const services = await startServices(options, tokens, secretKey);
  const stopServices = once(services.stop);
  opened.defer(stopServices);

  const lines: Record<string, unknown>[] = [];
  const logger = pino({ base: {} }, { write: (line) => void lines.push(JSON.parse(line)) });
  const config = loadConfig(settings, { ...quiet, ...options.env });
  const registry = new Registry();
  const redis = await openTestRedis(redisUrl, logger);
  opened.defer(() => redis.disconnect());
  const upstreams = ["user-service", "order-service"].map((name) =>
    createUpstream({ name, baseUrls: [services.url], timeoutMs: 10_000, logger, registry }),
  );
  for (const upstream of upstreams) opened.defer(() => upstream.close());
  const [userService, orderService] = upstreams.map(({ transport }) => transport);
  if (!userService || !orderService) throw new Error("no upstreams");

  const serviceCredential = createServiceCredential([secretKey]);
  const credential = serviceCredential.value;
  const headers = { "service-credential": credential };
  const sessions = createClient(SessionService, userService);
  const fetchKeys = async () => (await sessions.getSigningKeys({}, { headers })).keys;
  const keys = cacheSigningKeys(fetchKeys, Date.now);
  const verifier = createTokenVerifier(keys, Date.now);
  const revocations: Revocation[] = [];
  const denied = {
    isRevoked: options.isRevoked ?? (() => false),
    silentMs: options.silentMs ?? (() => 0),
    inForce: () => revocations.length,
    apply: (revocation: Revocation) => void revocations.push(revocation),
  };
  const platformService = createPlatformService({
    ...{ config, logger, registry, upstreams, verifier },
    credential: serviceCredential,
    revocations: denied,
  });
  const ending = new AbortController();
  const app = await buildApp({
    config,
    logger,
    registry,
    signal: ending.signal,
    redis,
    userService,
    orderService,
    platformService: platformService.transport,
    keys,
    verifier,
    credential,
    revocations: denied,
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  opened.defer(() => close(app));
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const stack = opened.move();
  const request = (path: string, init?: RequestInit) => fetch(url + path, init);
  return {
    ...{ url, port, app, tokens, credential, lines, registry, revocations, ending, stopServices },
    calls: services.calls,
    sampleHealth: platformService.sample,
    fetch: request,
    send: (method, path, body, extra = {}) => {
      const init = { method, headers: { "content-type": "application/json", ...extra } };
      return request(path, { ...init, body: JSON.stringify(body) });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

async function openTestRedis(
  url: string | undefined,
  logger: Parameters<typeof openRedis>[0]["logger"],
) {
  if (url === undefined) throw new Error("TEST_REDIS_URL is not set: run npm test -- FILE");
  const redis = openRedis({ url, name: "gateway tests", logger, commandTimeoutMs: 5_000 });
  if (!(await redisReady(redis, 5_000))) throw new Error("Redis does not answer");
  return redis;
}

async function close(app: FastifyInstance): Promise<void> {
  app.server.closeAllConnections();
  await app.close();
}

function once(stop: () => Promise<void>): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  return () => (stopped ??= stop());
}
