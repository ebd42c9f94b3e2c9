import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type Sql } from "postgres";
import { drizzle } from "./drizzle.ts";
import { guardQueries, type QueryGuard } from "./query-guard.ts";

/** Connections of one process to PostgreSQL. Two cores are busy well before. */
const maxConnections = 10;
/** Longer than any hot query by far; shorter than the deadline of a call. */
const statementTimeoutMs = 4_000;
/** When PostgreSQL has not even said that a statement took too long. Still within the deadline of a call. */
const answerTimeoutMs = 4_500;
const connectTimeoutSeconds = 3;
/** As many calls as a gateway has under way at most. What waits behind so many is not answered in time. */
const maxPendingQueries = 512;
/** A database that is away is asked again so often: soon after it is back, and no storm meanwhile. */
const pauseMs = 200;

/** A pool of connections, with drizzle on top of it. */
export interface Database {
  readonly db: PostgresJsDatabase;
  /** Lets queries under way end, then closes the connections. */
  close(): Promise<void>;
}

/** Parameters that PostgreSQL keeps for a connection, by name, for example `enable_sort`. */
export type ConnectionParameters = Readonly<Record<string, string>>;

/**
 * Opens a pool. It connects with the first query, and again by itself when the server was away. A query
 * that gets no answer in 4.5 s, or finds too many others waiting, fails as one does that finds no server.
 */
export function openDatabase(
  url: string,
  applicationName: string,
  parameters: ConnectionParameters = {},
): Database {
  const guard = guardQueries({
    open: () => openPool(url, { ...parameters, application_name: applicationName }),
    timeoutMs: answerTimeoutMs,
    maxPending: maxPendingQueries,
    pauseMs,
    now: () => performance.now(),
  });
  return { db: drizzle({ client: guardedClient(guard) }), close: guard.close };
}

function openPool(url: string, parameters: ConnectionParameters): Sql {
  const pool = postgres(url, {
    max: maxConnections,
    connect_timeout: connectTimeoutSeconds,
    backoff: (attempt: number) => Math.min(1, 0.05 * 2 ** attempt),
    onnotice: () => {},
    connection: { statement_timeout: statementTimeoutMs, ...parameters },
  });
  // Drizzle changes how a pool reads and writes dates and JSON. It sees only the first one otherwise.
  drizzle({ client: pool });
  return pool;
}

/** What drizzle uses of a pool: options, queries and transactions. */
function guardedClient(guard: QueryGuard): Sql {
  const unsafe: Sql["unsafe"] = (...query) => {
    let asArrays = false;
    const start = (pool: Sql) =>
      asArrays ? pool.unsafe(...query).values() : pool.unsafe(...query);
    // A moment later, as postgres.js does it: until then the caller may ask for arrays.
    const answer = Promise.resolve().then(() => guard.run<unknown>(start));
    const values = () => {
      asArrays = true;
      return answer;
    };
    return Object.assign(answer, { values }) as never;
  };
  const begin = (...block: unknown[]) =>
    guard.run((pool) => (pool.begin as (...block: unknown[]) => Promise<unknown>)(...block));
  return { options: guard.pool().options, unsafe, begin } as unknown as Sql;
}
