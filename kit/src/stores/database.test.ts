import assert from "node:assert/strict";
import { test } from "node:test";
import { isDatabaseAway } from "../rpc/service-error.ts";
import { createTcpGate } from "../tcp-gate.ts";
import { waitFor } from "../wait-for.ts";
import { openDatabase } from "./database.ts";
import { sql } from "./drizzle.ts";

test("dates, JSON and transactions are the same before and after the server was gone", async () => {
  const server = process.env.TEST_DATABASE_URL;
  assert.ok(server, "TEST_DATABASE_URL is missing; `npm test` starts a PostgreSQL");
  const url = new URL(server);
  const gate = await createTcpGate(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${gate.port}`;
  const { db, close } = openDatabase(url.href, "test");
  const read = () =>
    db.transaction(async (transaction) => {
      const query = sql`select '2026-01-02T03:04:05Z'::timestamptz as at, '{"a":1}'::jsonb as json`;
      return { ...(await transaction.execute(query))[0] };
    });
  try {
    const first = await read();
    await gate.shut();
    await assert.rejects(read());
    await gate.open();
    let again: unknown;
    await waitFor("an answer", async () => {
      again = await read().catch(() => undefined);
      return again !== undefined;
    });
    assert.deepEqual(again, first);
  } finally {
    await close();
    await gate.shut();
  }
});

test("a lock that PostgreSQL waits for no longer counts as a database that is away", async () => {
  const { db, close } = openDatabase(process.env.TEST_DATABASE_URL ?? "", "test", {
    lock_timeout: "50",
  });
  const lock = sql`select pg_advisory_xact_lock(3115002)`;
  try {
    await db.transaction(async (transaction) => {
      await transaction.execute(lock);
      await assert.rejects(async () => db.execute(lock), isDatabaseAway);
    });
    await db.execute(lock);
  } finally {
    await close();
  }
});
