import type { ProcessContext } from "@3l1/kit/process.ts";
import { openServiceStores, type ServiceStores } from "@3l1/kit/stores/service-stores.ts";
import type { Settings } from "./config.ts";
import { connectionParameters, redisCommandTimeoutMs, redisPatienceMs } from "./limits.ts";

/** Where orders are kept, and what tells of revoked tokens. */
export type Stores = Pick<ServiceStores, "db" | "revocations">;

/** Opens PostgreSQL and Redis. Without Redis the service starts all the same, and shows it on `/readyz`. */
export async function openStores(context: ProcessContext<Settings>): Promise<Stores> {
  const { config, logger } = context;
  const stores = openServiceStores(context, {
    name: "order-service",
    databaseUrl: config.ORDER_DATABASE_URL,
    parameters: connectionParameters,
    redisUrl: config.REDIS_URL,
    redisCommandTimeoutMs,
  });
  if (!(await stores.revocations.ready(redisPatienceMs)))
    logger.error("redis is away: revoked tokens are not known until it is back");
  return stores;
}
