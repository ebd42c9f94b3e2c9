import postgres, { type Sql } from "postgres";
import { isDatabaseAway } from "../rpc/service-error.ts";
import { drizzle, migrate } from "./drizzle.ts";

/** Any number will do, as long as all copies of a service use the same. */
const advisoryLockKey = 3_115_001;
/** PostgreSQL may start beside us. After that somebody has to look. */
const patienceMs = 30_000;
const retryAfterMs = 250;

/**
 * Brings a database to the newest schema. Several copies of a service may start at once: an
 * advisory lock lets one migrate while the others wait, which drizzle alone does not see to.
 * PostgreSQL may come up to 30 s later than the service.
 *
 * @param url a direct connection: advisory locks do not work through a transaction pooler
 * @param folder where drizzle-kit put the generated SQL
 * @throws with the address when PostgreSQL does not answer
 */
export async function migrateDatabase(url: string, folder: string): Promise<void> {
  const options = { max: 1, connect_timeout: 10, fetch_types: false, onnotice: () => {} };
  const sql = postgres(url, options);
  try {
    await waitForAnswer(sql, url);
    // The role may have a limit that is meant for queries. A migration, or the wait for one, may take longer.
    await sql`set statement_timeout = 0`;
    await sql`select pg_advisory_lock(${advisoryLockKey})`;
    await migrate(drizzle({ client: sql }), { migrationsFolder: folder });
  } finally {
    // Ending the connection gives the lock back.
    await sql.end({ timeout: 5 });
  }
}

async function waitForAnswer(sql: Sql, url: string): Promise<void> {
  const until = performance.now() + patienceMs;
  for (;;) {
    try {
      await sql`select 1`;
      return;
    } catch (error) {
      if (!isDatabaseAway(error)) throw error;
      if (performance.now() > until) {
        const seconds = patienceMs / 1000;
        const message = `PostgreSQL at ${new URL(url).host} did not answer for ${seconds} s`;
        throw new Error(message, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, retryAfterMs));
    }
  }
}
