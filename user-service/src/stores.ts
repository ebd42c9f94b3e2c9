import type { ProcessContext } from "@3l1/kit/process.ts";
import { redisReady } from "@3l1/kit/stores/redis.ts";
import { openServiceStores, type ServiceStores } from "@3l1/kit/stores/service-stores.ts";
import type { Settings } from "./config.ts";
import { redisCommandTimeoutMs, redisPatienceMs } from "./limits.ts";

export type Stores = ServiceStores;

/**
 * Opens PostgreSQL and Redis. Without Redis the process starts all the same, shows it on `/readyz`,
 * and answers what needs Redis with REASON_SESSION_STORE_UNAVAILABLE.
 */
export async function openStores(context: ProcessContext<Settings>): Promise<Stores> {
  const { config, logger } = context;
  const stores = openServiceStores(context, {
    name: "user-service",
    databaseUrl: config.USER_DATABASE_URL,
    redisUrl: config.REDIS_URL,
    redisCommandTimeoutMs,
  });
  const [isThere] = await Promise.all([
    redisReady(stores.redis, redisPatienceMs),
    stores.revocations.ready(redisPatienceMs),
  ]);
  if (!isThere) logger.error("redis is away: nobody can log in until it is back");
  return stores;
}
