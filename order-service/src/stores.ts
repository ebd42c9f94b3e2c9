import { createRevocations, type Revocations } from "@3l1/kit/auth/revocations.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { type Database, openDatabase } from "@3l1/kit/stores/database.ts";
import { openRedis } from "@3l1/kit/stores/redis.ts";
import { showDatabase, showRedis } from "@3l1/kit/stores/store-metrics.ts";
import type { Settings } from "./config.ts";
import { connectionParameters, redisCommandTimeoutMs, redisPatienceMs } from "./limits.ts";

/** Where orders are kept, and what tells of revoked tokens. */
export interface Stores {
  readonly db: Database["db"];
  readonly revocations: Revocations;
}

/** Opens PostgreSQL and Redis. Without Redis the service starts all the same, and shows it on `/readyz`. */
export async function openStores(context: ProcessContext<Settings>): Promise<Stores> {
  const { config, logger, registry, shutdown, tracing, details } = context;
  const database = openDatabase(
    config.ORDER_DATABASE_URL,
    "order-service",
    connectionParameters,
    tracing,
  );
  shutdown.defer("PostgreSQL", database.close);
  showDatabase(registry, database);

  const redis = openRedis({
    url: config.REDIS_URL,
    name: "order-service",
    logger,
    commandTimeoutMs: redisCommandTimeoutMs,
    tracing,
  });
  shutdown.defer("Redis", () => redis.disconnect());
  details.set("redis", () => redis.status);
  showRedis(registry, redis);

  const revocations = createRevocations({ redis, logger, now: Date.now });
  shutdown.defer("revocations", revocations.close);
  details.set("revocationsSilentMs", () => Math.round(revocations.silentMs()));
  if (!(await revocations.ready(redisPatienceMs)))
    logger.error("redis is away: revoked tokens are not known until it is back");
  return { db: database.db, revocations };
}
