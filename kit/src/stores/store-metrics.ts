import { Gauge, type Registry } from "@prometheus-io/client";
import type { Database } from "./database.ts";

/** Shows how busy a pool of connections to PostgreSQL is, and whether the database was lost. */
export function showDatabase(registry: Registry, database: Database): void {
  gauge(
    registry,
    "database_queries_under_way",
    "Queries that run in PostgreSQL or wait for a connection",
    () => database.load().pending,
  );
  gauge(
    registry,
    "database_up",
    "1 unless the last that was heard of PostgreSQL was that it is away",
    () => (database.load().lost ? 0 : 1),
  );
}

/** Shows whether Redis can be used. */
export function showRedis(registry: Registry, redis: { readonly status: string }): void {
  gauge(
    registry,
    "redis_up",
    "1 while the connection to Redis, or to its cluster, can be used",
    () => (redis.status === "ready" ? 1 : 0),
  );
}

function gauge(registry: Registry, name: string, help: string, read: () => number): void {
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(read());
    },
  });
}
