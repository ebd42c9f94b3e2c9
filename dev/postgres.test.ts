import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import postgres from "postgres";
import { openPlatform } from "./platform.ts";
import { freePorts } from "./ports.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { testFolder } from "./test-folder.ts";

const signal = AbortSignal.timeout(60_000);

async function start(t: TestContext, folder: string) {
  const platform = await openPlatform(folder, () => {});
  t.after(() => platform.stop());
  const [port = 0] = await freePorts(1);
  const options = { folder: join(folder, "postgres"), port, manage: platform.manage, signal };
  return { platform, postgres: await startPostgres(options) };
}

async function query(url: string, text: string): Promise<unknown> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql.unsafe(text).values();
    return row?.[0];
  } finally {
    await sql.end();
  }
}

async function check({ url, userDatabaseUrl, orderDatabaseUrl }: Postgres): Promise<void> {
  assert.match(String(await query(url, "show server_version")), /^18/);
  assert.equal(await query(userDatabaseUrl, "select current_user"), "user_service");
  const stranger = new URL(orderDatabaseUrl);
  stranger.pathname = "/user_service";
  await assert.rejects(query(stranger.href, "select 1"), /permission denied for database/);
}

test("each service has a database of its own, which outlives the server, even its sudden death", async (t) => {
  const folder = testFolder();
  const first = await start(t, folder);
  await check(first.postgres);
  await query(first.postgres.userDatabaseUrl, "create table kept as select 42 as answer");
  await query(first.postgres.url, "checkpoint");
  first.platform.hurry();
  await first.platform.stop();
  assert.equal(existsSync(join(folder, "postgres/data/postmaster.pid")), false);

  // A pid that another process has by now: what a kill -9 and a restart of a container leave behind.
  writeFileSync(join(folder, "postgres/data/postmaster.pid"), `${process.pid}\n/elsewhere\n`);
  const second = await start(t, folder);
  await check(second.postgres);
  assert.equal(await query(second.postgres.userDatabaseUrl, "select answer from kept"), 42);
});
