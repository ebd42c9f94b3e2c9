import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type Sql } from "postgres";

/** Connections of one process to PostgreSQL. Two cores are busy well before. */
const maxConnections = 10;
/** Longer than any hot query by far; shorter than the deadline of a call. */
const statementTimeoutMs = 4_000;
const connectTimeoutSeconds = 3;

/** A pool of connections, and drizzle on top of it. */
export interface Database {
  readonly sql: Sql;
  readonly db: PostgresJsDatabase;
  /** Lets queries under way end, then closes the connections. */
  close(): Promise<void>;
}

/** Opens a pool. It connects with the first query, and again by itself when the server was away. */
export function openDatabase(url: string, applicationName: string): Database {
  const sql = postgres(url, {
    max: maxConnections,
    connect_timeout: connectTimeoutSeconds,
    backoff: (attempt: number) => Math.min(1, 0.05 * 2 ** attempt),
    onnotice: () => {},
    connection: { application_name: applicationName, statement_timeout: statementTimeoutMs },
  });
  return { sql, db: drizzle({ client: sql }), close: () => sql.end({ timeout: 5 }) };
}
