import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "@3l1/kit/stores/database.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createTestDatabase } from "@3l1/kit/stores/test-database.ts";
import postgres from "postgres";
import { forgetOldKeys } from "./idempotency.ts";
import { createOrderStore } from "./store.ts";

test("keys that are older than a day are forgotten, however many, and no others", async () => {
  const server = process.env.TEST_DATABASE_URL;
  assert.ok(server, "TEST_DATABASE_URL is missing; `npm test` starts a PostgreSQL");
  const { url, drop } = await createTestDatabase("orders", server);
  await migrateDatabase(url, `${import.meta.dirname}/../migrations`);
  const database = openDatabase(url, "test");
  const sql = postgres(url, { max: 1 });
  try {
    await sql`insert into idempotency_keys
      select gen_random_uuid(), n::text, '', '', to_timestamp(n * 60) from generate_series(1, 3000) n`;
    const dayLater = (24 * 60 + 2500) * 60_000;
    const { signal } = new AbortController();
    const sweep = () =>
      forgetOldKeys(
        createOrderStore(database.db, () => {}),
        dayLater,
        signal,
      );
    await Promise.all([sweep(), sweep()]);
    const [left] = await sql`select count(*)::int, min(key::int) from idempotency_keys`;
    assert.deepEqual({ ...left }, { count: 501, min: 2500 });
  } finally {
    await sql.end();
    await database.close();
    await drop();
  }
});
