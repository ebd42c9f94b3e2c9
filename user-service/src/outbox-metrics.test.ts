import { after, before, test } from "node:test";
import { drizzle } from "@3l1/kit/stores/drizzle.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createTestDatabase, type TestDatabase } from "@3l1/kit/stores/test-database.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Registry } from "@prometheus-io/client";
import { pino } from "pino";
import postgres, { type Sql } from "postgres";
import { showOutboxes } from "./outbox-metrics.ts";

const id = "01980000-0000-7000-8000-000000000001";
let database: TestDatabase;
let sql: Sql;

before(async () => {
  database = await createTestDatabase("users", process.env.TEST_DATABASE_URL);
  await migrateDatabase(database.url, `${import.meta.dirname}/../migrations`);
  sql = postgres(database.url, { max: 1 });
});
after(async () => {
  await sql.end();
  await database.drop();
});

test("it counts what is still to be done, and forgets what is done", async () => {
  await sql`insert into purges (user_id) values (${id})`;
  await sql`insert into revocations (id, user_id) values (${id}, ${id})`;
  const registry = new Registry();
  const db = drizzle({ client: sql });
  const counting = showOutboxes({ registry, logger: pino({ enabled: false }) }, db);
  const shows = (count: number) => async () => {
    const text = await registry.metrics();
    return [`{outbox="purges"} ${count}`, `{outbox="revocations"} ${count}`].every((line) =>
      text.includes(`outbox_rows${line}\n`),
    );
  };
  await waitFor("one row each", shows(1));
  await sql`delete from purges`;
  await sql`update revocations set published_at = now()`;
  counting.soon();
  await waitFor("no row", shows(0));
  await counting.stop();
});
