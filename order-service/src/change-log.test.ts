import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Database, openDatabase } from "@3l1/kit/stores/database.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createTestDatabase, type TestDatabase } from "@3l1/kit/stores/test-database.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import postgres, { type Sql } from "postgres";
import { v7 as uuidv7 } from "uuid";
import {
  type ChangeLog,
  ChangesForgotten,
  createChangeLog,
  forgetOldChanges,
} from "./change-log.ts";
import { beginning, type Position } from "./change-position.ts";

const { signal } = new AbortController();
const user = uuidv7();
let own: TestDatabase;
let database: Database;
let sql: Sql;
let log: ChangeLog;
before(async () => {
  const server = process.env.TEST_DATABASE_URL;
  assert.ok(server, "TEST_DATABASE_URL is missing; `npm test` starts a PostgreSQL");
  own = await createTestDatabase("orders", server);
  await migrateDatabase(own.url, `${import.meta.dirname}/../migrations`);
  database = openDatabase(own.url, "test");
  sql = postgres(own.url, { max: 3 });
  log = createChangeLog(database.db);
});
after(async () => {
  await sql?.end();
  await database?.close();
  await own?.drop();
});

/** Changes as old as this, each of a transaction of its own. */
async function write(count: number, ageMinutes = 0): Promise<void> {
  for (let i = 0; i < count; i++)
    await sql`insert into order_changes (tx, user_id, order_id, kind, created_at) values
      (pg_current_xact_id(), ${user}, ${uuidv7()}, 'deleted', now() - ${ageMinutes} * interval '1 minute')`;
}

/** Waits until all changes count. Transactions of tests beside this one hold them back: the server is theirs too. */
const settled = () =>
  waitFor("transactions under way to end", async () => {
    const [found] = await sql`select bool_and(tx < pg_snapshot_xmin(pg_current_snapshot())) as all
      from order_changes`;
    return found?.all !== false;
  });

const all = async (from: Position = beginning) =>
  (await log.after(from, 1_000)).changes.map(({ position }) => position);

test("changes come in the order of their transactions, and none before one that is still open", async () => {
  const from = await log.last();
  const [opened, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const holder = sql.begin(async (tx) => {
    await tx`insert into order_changes (tx, user_id, order_id, kind, created_at)
      values (pg_current_xact_id(), ${user}, ${uuidv7()}, 'deleted', now())`;
    opened.resolve();
    await release.promise;
  });
  await opened.promise;
  await write(2);
  const held = await log.after(from, 10);
  assert.deepEqual(held.changes, []);
  assert.ok(held.waitingSince, "it is known that there are some");
  assert.deepEqual(await log.last(), from);
  release.resolve();
  await holder;
  await settled();
  const positions = await all(from);
  assert.equal(positions.length, 3);
  assert.deepEqual(
    positions.map(({ id }) => id),
    positions.map(({ id }) => id).sort(),
  );
  assert.deepEqual(await log.last(), positions[2]);
});

test("pages of a user's changes meet without a gap", async () => {
  const from = await log.last();
  await write(7);
  await settled();
  const upTo = await log.last();
  const pages = await Array.fromAsync(log.ofUser(user, from, upTo, 3));
  assert.deepEqual(
    pages.map((page) => page.length),
    [3, 3, 1],
  );
  assert.deepEqual(
    pages.flat().map(({ position }) => position),
    await all(from),
  );
});

test("what is too old or too much is forgotten from the oldest on, and is known to be gone", async () => {
  await settled();
  await forgetOldChanges(log, { keptMs: 0, keptRows: 0, batch: 100 }, signal);
  const from = await log.last();
  await write(5, 90);
  await write(5, 10);
  await write(1, 90);
  await settled();
  const positions = await all(from);
  const retention = { keptMs: 60 * 60_000, keptRows: 100, batch: 2 };
  await Promise.all([1, 2].map(() => forgetOldChanges(log, retention, signal)));
  await forgetOldChanges(log, retention, signal);
  const gone = positions[4] ?? assert.fail();
  assert.deepEqual(await all(gone), positions.slice(5), "also the old one that came late is kept");
  assert.equal(await log.knows(gone), true, "everything behind it is there");
  assert.equal(await log.knows(positions[3] ?? gone), false);
  assert.equal(await log.knows(positions[5] ?? gone), true);
  await assert.rejects(log.after(from, 10), ChangesForgotten);
  await assert.rejects(Array.fromAsync(log.ofUser(user, from, gone, 10)), ChangesForgotten);
  await forgetOldChanges(log, { ...retention, keptRows: 2 }, signal);
  const left = positions.slice(-2);
  assert.deepEqual(await all(positions.at(-3)), left);
  await assert.rejects(log.after(gone, 10), ChangesForgotten);
});
