import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import type { Span, Tracing } from "./tracing.ts";

/** The spans of a database's queries. */
export interface QuerySpans {
  /** Runs a query, below the span that is current. @param sql its text, of which no more than the verb is told */
  query<T>(sql: string, run: () => Promise<T>): Promise<T>;
  /** The same for a transaction, as a whole. */
  transaction<T>(run: () => Promise<T>): Promise<T>;
  /** Has statements that are prepared from now on told by their names. */
  learnNames(db: PostgresJsDatabase): void;
}

/** Names of statements alone go into a span: never their text, nor their parameters. */
export function traceQueries(tracing: Tracing): QuerySpans {
  const names = new Map<string, string>();

  function start(name: string): Span | undefined {
    const parent = tracing.current()?.traceparent;
    if (parent === undefined) return undefined;
    const attributes = { "db.system.name": "postgresql", "db.query.summary": name };
    return tracing.start("client", name, parent, attributes);
  }

  return {
    query: (sql, run) => within(start(names.get(sql) ?? verbOf(sql)), run),
    transaction: (run) => within(start("transaction"), run),
    learnNames(db) {
      const { session } = db._;
      const prepare = session.prepareQuery.bind(session);
      session.prepareQuery = (query, fields, name, ...rest) => {
        if (name !== undefined) names.set(query.sql, name);
        return prepare(query, fields, name, ...rest);
      };
    },
  };
}

/** Runs something, and ends a span as it ends. */
export async function within<T>(span: Span | undefined, run: () => Promise<T>): Promise<T> {
  if (span === undefined) return run();
  try {
    const result = await run();
    span.end();
    return result;
  } catch (error) {
    span.end({ failed: true });
    throw error;
  }
}

function verbOf(sql: string): string {
  return /^\s*([a-z]+)/i.exec(sql)?.[1]?.toUpperCase() ?? "query";
}
