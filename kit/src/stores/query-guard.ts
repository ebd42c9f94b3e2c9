import postgres, { type Sql } from "postgres";
import { isDatabaseAway } from "../rpc/service-error.ts";

/** PostgreSQL is starting up: it answers, but takes nobody in. */
const startingUp = "57P03";

/** Settings of {@link guardQueries}. */
export interface QueryGuardOptions {
  /** Opens a pool of connections. */
  readonly open: () => Sql;
  /** Longest wait for an answer, in milliseconds. More than PostgreSQL's own `statement_timeout`. */
  readonly timeoutMs: number;
  /** Queries under way and waiting; one more fails at once. */
  readonly maxPending: number;
  /** How long nothing is tried after the database was lost, in milliseconds. */
  readonly pauseMs: number;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
}

/** Why a query was given up. It counts as an error of the connection. */
export class DatabaseLost extends Error {
  override name = "DatabaseLost";
  readonly code = "CONNECTION_LOST";
}

/** Runs queries on a pool, which may be another one for the next query. */
export interface QueryGuard {
  /**
   * Rejects as the query does, or with a {@link DatabaseLost} when there is no answer in time, no room,
   * or no database.
   */
  run<T>(query: (sql: Sql) => PromiseLike<T>): Promise<T>;
  /** Queries under way and waiting, and whether nothing has been heard of the database since it was lost. */
  load(): { readonly pending: number; readonly lost: boolean };
  /** The pool that is used for now. */
  pool(): Sql;
  /** Lets queries under way end for 5 s, then closes the connections. */
  close(): Promise<void>;
}

/**
 * What postgres.js lacks: a deadline and a bound. When a query fails for want of a server, or hears
 * nothing at all, while nobody else got an answer since it began, then the pool is taken for lost:
 * all that waits in it fails with it, instead of one after the other, and a new pool takes its place,
 * so that no dead connection outlives a failover. Until there is an answer again one query at a time
 * may try.
 *
 * A single connection may be dead while the others do well. PostgreSQL has long ended a query that has been given up
 * for as long again: it will never be answered, and its connection would go on to swallow others. Then the
 * pool is renewed without haste: what is under way in it may end.
 */
export function guardQueries(options: QueryGuardOptions): QueryGuard {
  const { open, timeoutMs, maxPending, pauseMs, now } = options;
  // What is pending in a pool that was given up does not count any more, however long it hangs.
  let pool = { sql: open(), pending: 0 };
  let lost = false;
  let answeredAt = Number.NEGATIVE_INFINITY;
  let pausedUntil = Number.NEGATIVE_INFINITY;

  function replacePool(): void {
    const retired = pool.sql;
    pool = { sql: open(), pending: 0 };
    lost = true;
    pausedUntil = now() + pauseMs;
    retired.end({ timeout: 0 }).catch(() => {});
  }

  /** For the queries to come. Those under way have the time that any query has. */
  function renewPool(): void {
    const retired = pool.sql;
    pool = { sql: open(), pending: 0 };
    retired.end({ timeout: timeoutMs / 1000 }).catch(() => {});
  }

  /** Renews the pool if the query, which has been given up, is still not answered after as long again. */
  function renewUnlessAnswered(used: typeof pool, answer: Promise<unknown>): void {
    const timer = setTimeout(() => {
      if (used === pool) renewPool();
    }, timeoutMs).unref();
    const stay = () => clearTimeout(timer);
    answer.then(stay, stay);
  }

  function noteAnswer(): void {
    answeredAt = now();
    lost = false;
  }

  async function run<T>(query: (sql: Sql) => PromiseLike<T>): Promise<T> {
    const startedAt = now();
    const used = pool;
    if (startedAt < pausedUntil || (lost && used.pending > 0))
      throw new DatabaseLost("no database");
    if (used.pending >= maxPending) throw new DatabaseLost(`${maxPending} queries are waiting`);
    used.pending++;
    const answer = settled(
      () => query(used.sql),
      () => used.pending--,
    );
    try {
      const result = await within(answer, timeoutMs);
      noteAnswer();
      return result;
    } catch (error) {
      if (!meansLost(error)) noteAnswer();
      else if (used === pool && answeredAt < startedAt) replacePool();
      else renewUnlessAnswered(used, answer);
      throw error;
    }
  }
  return {
    run,
    load: () => ({ pending: pool.pending, lost }),
    pool: () => pool.sql,
    close: () => pool.sql.end({ timeout: 5 }),
  };
}

/** An error that PostgreSQL itself reports proves that it is there. */
function meansLost(error: unknown): boolean {
  if (error instanceof postgres.PostgresError) return error.code === startingUp;
  return isDatabaseAway(error);
}

async function settled<T>(query: () => PromiseLike<T>, then: () => void): Promise<T> {
  try {
    return await query();
  } finally {
    then();
  }
}

async function within<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new DatabaseLost(`no answer in ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([answer, promise]);
  } finally {
    clearTimeout(timer);
  }
}
