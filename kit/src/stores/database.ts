import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type Sql } from "postgres";
import { type QuerySpans, traceQueries } from "../tracing/trace-queries.ts";
import type { Tracing } from "../tracing/tracing.ts";
import { drizzle } from "./drizzle.ts";
import { guardQueries, type QueryGuard } from "./query-guard.ts";
import { runTransaction, type TransactionBlock } from "./transaction.ts";

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
  /** Queries under way and waiting, and whether nothing has been heard of the database since it was lost. */
  load(): { readonly pending: number; readonly lost: boolean };
  /** Lets queries under way end, then closes the connections. */
  close(): Promise<void>;
}

/** Parameters that PostgreSQL keeps for a connection, by name, for example `enable_sort`. */
export type ConnectionParameters = Readonly<Record<string, string>>;

/**
 * Opens a pool. It connects with the first query, and again by itself when the server was away. A query
 * that gets no answer in 4.5 s, or finds too many others waiting, fails as one does that finds no server.
 *
 * @param tracing shows queries by their names, where there is a span for them to be below. Default: off
 */
export function openDatabase(
  url: string,
  applicationName: string,
  parameters: ConnectionParameters = {},
  tracing?: Tracing,
): Database {
  const guard = guardQueries({
    open: () => openPool(url, { ...parameters, application_name: applicationName }),
    timeoutMs: answerTimeoutMs,
    maxPending: maxPendingQueries,
    pauseMs,
    now: () => performance.now(),
  });
  const spans = tracing && traceQueries(tracing);
  const db = drizzle({ client: guardedClient(guard, spans) });
  spans?.learnNames(db);
  return { db, load: guard.load, close: guard.close };
}

function openPool(url: string, parameters: ConnectionParameters): Sql {
  const pool = postgres(url, {
    max: maxConnections,
    connect_timeout: connectTimeoutSeconds,
    backoff: (attempt: number) => Math.min(1, 0.05 * 2 ** attempt),
    onnotice: () => {},
    // It asks for the types of arrays with a query that nobody listens to: a connection lost then ends the process.
    fetch_types: false,
    connection: { statement_timeout: statementTimeoutMs, ...parameters },
  });
  // Drizzle changes how a pool reads and writes dates and JSON. It sees only the first one otherwise.
  drizzle({ client: pool });
  return pool;
}

/** What drizzle uses of a pool: options, queries and transactions. */
function guardedClient(guard: QueryGuard, spans: QuerySpans | undefined): Sql {
  const unsafe: Sql["unsafe"] = (...query) => {
    let asArrays = false;
    const start = (pool: Sql) =>
      asArrays ? pool.unsafe(...query).values() : pool.unsafe(...query);
    // A moment later, as postgres.js does it: until then the caller may ask for arrays.
    const run = () => guard.run<unknown>(start);
    const answer = Promise.resolve().then(spans ? () => spans.query(query[0], run) : run);
    const values = () => {
      asArrays = true;
      return answer;
    };
    return Object.assign(answer, { values }) as never;
  };
  const begin = <T>(block: TransactionBlock<T>) => {
    const run = () => guard.run((pool) => runTransaction(pool, block));
    return spans ? spans.transaction(run) : run();
  };
  return { options: guard.pool().options, unsafe, begin } as unknown as Sql;
}
