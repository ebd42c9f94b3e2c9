import { createRevocations, type Revocations } from "../auth/revocations.ts";
import type { ProcessContext } from "../process.ts";
import { type ConnectionParameters, type Database, openDatabase } from "./database.ts";
import { openRedis, type RedisClient } from "./redis.ts";
import { showDatabase, showRedis } from "./store-metrics.ts";

/** Settings of {@link openServiceStores}. */
export interface ServiceStoreOptions {
  /** Names the connections of the service, e.g. `user-service`. */
  readonly name: string;
  readonly databaseUrl: string;
  /** For PostgreSQL, with each connection. Default: none. */
  readonly parameters?: ConnectionParameters;
  readonly redisUrl: string;
  /** A command of Redis that takes longer has failed. */
  readonly redisCommandTimeoutMs: number;
}

/** Where a service keeps things, and what it hears. */
export interface ServiceStores {
  readonly db: Database["db"];
  readonly redis: RedisClient;
  readonly revocations: Revocations;
}

/**
 * Opens PostgreSQL and Redis and listens for revocations, without waiting for any. They are closed when
 * the process ends, and shown in its metrics and on `/readyz`.
 */
export function openServiceStores(
  context: Pick<ProcessContext, "logger" | "registry" | "shutdown" | "tracing" | "details">,
  options: ServiceStoreOptions,
): ServiceStores {
  const { logger, registry, shutdown, tracing, details } = context;
  const { name, databaseUrl, parameters = {}, redisUrl: url } = options;
  const database = openDatabase(databaseUrl, name, parameters, tracing);
  shutdown.defer("PostgreSQL", database.close);
  showDatabase(registry, database);

  const commandTimeoutMs = options.redisCommandTimeoutMs;
  const redis = openRedis({ url, name, logger, commandTimeoutMs, tracing });
  shutdown.defer("Redis", () => redis.disconnect());
  details.set("redis", () => redis.status);
  showRedis(registry, redis);

  const revocations = createRevocations({ redis, logger, now: Date.now });
  shutdown.defer("revocations", revocations.close);
  details.set("revocationsSilentMs", () => Math.round(revocations.silentMs()));
  return { db: database.db, redis, revocations };
}
