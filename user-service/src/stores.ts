import { createRevocations, type Revocations } from "@3l1/kit/auth/revocations.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { type Database, openDatabase } from "@3l1/kit/stores/database.ts";
import { openRedis, type RedisClient, redisReady } from "@3l1/kit/stores/redis.ts";
import { showDatabase, showRedis } from "@3l1/kit/stores/store-metrics.ts";
import type { Settings } from "./config.ts";
import { redisCommandTimeoutMs, redisPatienceMs } from "./limits.ts";

/** Where the service keeps things, and what it hears. */
export interface Stores {
  readonly db: Database["db"];
  readonly redis: RedisClient;
  readonly revocations: Revocations;
}

/**
 * Opens PostgreSQL and Redis. Without Redis the process starts all the same, shows it on `/readyz`,
 * and answers what needs Redis with REASON_SESSION_STORE_UNAVAILABLE.
 */
export async function openStores(context: ProcessContext<Settings>): Promise<Stores> {
  const { config, logger, registry, shutdown, tracing, details } = context;
  const database = openDatabase(config.USER_DATABASE_URL, "user-service", {}, tracing);
  shutdown.defer("PostgreSQL", database.close);
  showDatabase(registry, database);

  const redis = openRedis({
    url: config.REDIS_URL,
    name: "user-service",
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

  const [isThere] = await Promise.all([
    redisReady(redis, redisPatienceMs),
    revocations.ready(redisPatienceMs),
  ]);
  if (!isThere) logger.error("redis is away: nobody can log in until it is back");
  return { db: database.db, redis, revocations };
}
