import { drizzle } from "drizzle-orm/postgres-js";
import { migrate } from "drizzle-orm/postgres-js/migrator";
import postgres from "postgres";

/** Any number will do, as long as all copies of a service use the same. */
const advisoryLockKey = 3_115_001;

/**
 * Brings a database to the newest schema. Several copies of a service may start at once: an
 * advisory lock lets one migrate while the others wait, which drizzle alone does not see to.
 *
 * @param url a direct connection: advisory locks do not work through a transaction pooler
 * @param folder where drizzle-kit put the generated SQL
 */
export async function migrateDatabase(url: string, folder: string): Promise<void> {
  const sql = postgres(url, { max: 1, connect_timeout: 10, onnotice: () => {} });
  try {
    await sql`select pg_advisory_lock(${advisoryLockKey})`;
    await migrate(drizzle({ client: sql }), { migrationsFolder: folder });
  } finally {
    // Ending the connection gives the lock back.
    await sql.end({ timeout: 5 });
  }
}
