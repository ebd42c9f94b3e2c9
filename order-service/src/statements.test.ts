import assert from "node:assert/strict";
import { test } from "node:test";
import { openDatabase } from "@3l1/kit/stores/database.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createTestDatabase } from "@3l1/kit/stores/test-database.ts";
import postgres from "postgres";
import { connectionParameters } from "./limits.ts";
import { afterAllIds, prepareStatements } from "./statements.ts";

/** One user with nearly all orders, and few that are cancelled: what a plan for all values expects least. */
const user = "01890000-0000-7000-8000-000000000001";
const pageSize = 20;

test("a page of any list is read from one index, and not a row more than it shows", async () => {
  const server = process.env.TEST_DATABASE_URL;
  assert.ok(server, "TEST_DATABASE_URL is missing; `npm test` starts a PostgreSQL");
  const { url, drop } = await createTestDatabase("orders", server);
  await migrateDatabase(url, `${import.meta.dirname}/../migrations`);
  const database = openDatabase(url, "test");
  const plan_cache_mode = "force_generic_plan";
  const sql = postgres(url, { max: 1, connection: { ...connectionParameters, plan_cache_mode } });
  try {
    await sql`insert into orders
      select uuidv7(), case when n % 500 = 0 then gen_random_uuid() else ${user}::uuid end, '[]', 'EUR',
        0, '', (case when n % 100 = 0 then 'cancelled' else 'done' end)::order_status, 1, now(), now()
      from generate_series(1, 20000) n`;
    await sql`analyze`;
    const statements = prepareStatements(database.db);
    const values = { user_id: user, status: "cancelled", id: afterAllIds };
    for (const name of ["list", "listOfUser", "listWithStatus", "listOfUserWithStatus"] as const) {
      const query = statements[name].getQuery();
      const parameters = query.params.map((each) => literalOf(each, values));
      await sql.unsafe(`prepare ${name} as ${query.sql}`);
      const execute = `execute ${name}(${parameters.map((each) => `'${each}'`)})`;
      const [row] = await sql.unsafe(`explain (analyze, format json) ${execute}`);
      assert.ok(row);
      const scan = row["QUERY PLAN"][0].Plan.Plans[0];
      assert.match(scan["Node Type"], /^Index Scan$/, name);
      assert.equal(scan["Actual Rows"], pageSize, name);
      assert.equal(scan["Rows Removed by Filter"] ?? 0, 0, name);
    }
  } finally {
    await sql.end();
    await database.close();
    await drop();
  }
});

/** What drizzle puts where a parameter goes: a placeholder, alone or with its column. */
function literalOf(parameter: unknown, values: Readonly<Record<string, string>>): string | number {
  const { name, value } = parameter as { name?: string; value?: { name: string } };
  return values[name ?? value?.name ?? ""] ?? pageSize;
}
