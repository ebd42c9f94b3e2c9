import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { createTokenVerifier } from "@3l1/kit/auth/access-token.ts";
import { createRevocations } from "@3l1/kit/auth/revocations.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { cacheSigningKeys } from "@3l1/kit/auth/signing-keys.ts";
import { listen } from "@3l1/kit/listen.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import { runPeriodically } from "@3l1/kit/periodic.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { addBreakersPage } from "@3l1/kit/resilience/breakers-page.ts";
import { createUpstream, type Upstream } from "@3l1/kit/resilience/upstream.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { openRedis } from "@3l1/kit/stores/redis.ts";
import { showRedis } from "@3l1/kit/stores/store-metrics.ts";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { buildApp } from "./app.ts";
import type { settings } from "./config.ts";
import { Connections } from "./connections.ts";
import { drain } from "./drain.ts";
import { healthSampleMs, redisCommandTimeoutMs, revocationsPatienceMs } from "./limits.ts";
import { createPlatformService, type PlatformServiceOptions } from "./platform-service.ts";

type Context = ProcessContext<typeof settings>;

/** Opens what the gateway needs, builds it and listens. It does not wait for its services: they may come later. */
export async function start(context: Context): Promise<void> {
  const { config, logger, registry, shutdown, tracing } = context;
  const redis = openLimiterRedis(context);
  const userService = openUpstream(context, "user-service", config.USER_SERVICE_URL);
  const orderService = openUpstream(context, "order-service", config.ORDER_SERVICE_URL);
  showBreakers(context, [userService, orderService]);

  const revocations = createRevocations({ redis, logger, now: Date.now });
  shutdown.defer("revocations", () => revocations.close());
  const credential = createServiceCredential(config.SECRET_KEYS);
  const keys = cacheSigningKeys(
    keyFetcher(userService.transport, credential.value, logger),
    Date.now,
  );
  const verifier = createTokenVerifier(keys, Date.now);
  const upstreams = [userService, orderService];
  const guards = { verifier, credential, revocations };
  const platformService = openPlatformService(context, { ...guards, upstreams });
  const app = await buildApp({
    config,
    logger,
    registry,
    tracing,
    signal: shutdown.signal,
    redis,
    userService: userService.transport,
    orderService: orderService.transport,
    platformService,
    keys,
    verifier,
    credential: credential.value,
    revocations,
  });
  const connections = new Connections(app.server);
  await revocations.ready(revocationsPatienceMs);
  await listen(app.server, config.GATEWAY_PORT, config.GATEWAY_HOST, "GATEWAY_PORT");
  shutdown.defer("public port", () => drain(app, connections));
}

function openLimiterRedis({ config, logger, registry, shutdown, details }: Context) {
  const url = config.REDIS_URL;
  const redis = openRedis({
    url,
    name: "gateway",
    logger,
    commandTimeoutMs: redisCommandTimeoutMs,
  });
  showRedis(registry, redis);
  details.set("redis", () => (redis.status === "ready" ? "ready" : "away"));
  shutdown.defer("Redis", () => redis.disconnect());
  return redis;
}

function openUpstream(context: Context, name: string, baseUrls: readonly string[]): Upstream {
  const { config, logger, registry, shutdown, tracing } = context;
  const timeoutMs = config.UPSTREAM_TIMEOUT_MS;
  const upstream = createUpstream({ name, baseUrls, timeoutMs, logger, registry, tracing });
  shutdown.defer(name, () => upstream.close());
  return upstream;
}

function openPlatformService(
  { config, logger, registry, shutdown }: Context,
  sources: Pick<PlatformServiceOptions, "upstreams" | "verifier" | "credential" | "revocations">,
): Transport {
  const service = createPlatformService({ config, logger, registry, ...sources });
  const everyMs = healthSampleMs;
  const samples = runPeriodically({ name: "health", everyMs, run: service.sample, logger });
  samples.soon();
  shutdown.defer("health samples", () => samples.stop());
  return service.transport;
}

function showBreakers({ adminPages, details }: Context, upstreams: readonly Upstream[]): void {
  addBreakersPage(adminPages, upstreams);
  details.set("breakers", () =>
    Object.fromEntries(upstreams.map(({ name, snapshot }) => [name, snapshot().state])),
  );
}

function keyFetcher(transport: Transport, credential: string, logger: Logger) {
  const client = createClient(SessionService, transport);
  const headers = { [metadata.serviceCredential]: credential };
  return async () => {
    try {
      return (await client.getSigningKeys({}, { headers })).keys;
    } catch (error) {
      // Being away is for the breaker to tell; anything else does not pass by itself.
      const { code, rawMessage } = ConnectError.from(error);
      if (code === Code.PermissionDenied)
        logger.error({ err: { message: rawMessage } }, "is SECRET_KEYS the same everywhere?");
      throw error;
    }
  };
}
