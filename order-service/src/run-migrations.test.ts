import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { createTestDatabase } from "@3l1/kit/stores/test-database.ts";
import postgres from "postgres";

const server = process.env.TEST_DATABASE_URL ?? "";
const script = join(import.meta.dirname, "run-migrations.ts");
const runWith = (env: NodeJS.ProcessEnv) =>
  promisify(execFile)(process.execPath, [script], { env, timeout: 120_000 });

test("an empty database is migrated by a command, twice does no harm", async (t) => {
  const { url, drop } = await createTestDatabase("orders", server);
  t.after(drop);
  for (const _ of [1, 2]) {
    const { stdout } = await runWith({ ORDER_DATABASE_URL: url });
    assert.equal(stdout, "the database has the newest schema\n");
  }
  const sql = postgres(url, { max: 1 });
  const tables = await sql`select tablename from pg_tables where schemaname = 'public'`;
  await sql.end();
  assert.ok(tables.some(({ tablename }) => tablename === "orders"));
});

test("a database that does not let us in fails the command, without telling the password", async () => {
  const url = new URL(server);
  url.pathname = "/no_such_database";
  url.password = "not-the-password";
  await assert.rejects(runWith({ ORDER_DATABASE_URL: url.href }), ({ code, stderr }) => {
    assert.match(stderr, /^the database was not migrated: \S+/);
    assert.doesNotMatch(stderr, /not-the-password/);
    return code === 1;
  });
});
