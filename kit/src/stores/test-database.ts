import { randomBytes } from "node:crypto";
import postgres from "postgres";

/** For tests: a database of a test file's own. */
export interface TestDatabase {
  readonly url: string;
  drop(): Promise<void>;
}

/**
 * For tests: creates a database that nobody else has.
 *
 * @param prefix what its name begins with
 * @param server the URL of a superuser, from `TEST_DATABASE_URL`
 */
export async function createTestDatabase(
  prefix: string,
  server: string | undefined,
): Promise<TestDatabase> {
  if (!server)
    throw new Error("TEST_DATABASE_URL has to name a PostgreSQL superuser; `npm test` sees to it");
  const name = `${prefix}_${randomBytes(6).toString("hex")}`;
  await onServer(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(server, `drop database ${name} with (force)`) };
}

async function onServer(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
