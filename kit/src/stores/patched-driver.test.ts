import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { test } from "node:test";
import postgres from "postgres";
import { isDatabaseAway } from "../rpc/service-error.ts";
import { waitFor } from "../wait-for.ts";

/*
 * What `patches/postgres@3.4.9.patch` mends. Without it a connection takes what it had heard of one answer into the
 * next, and may lose count of who waits for which.
 */

const server = new URL(process.env.TEST_DATABASE_URL ?? "");
const endings = {
  ended: (socket: Socket) => void socket.end(),
  reset: (socket: Socket) => void socket.resetAndDestroy(),
};

function openPool(url: string) {
  const options = { max: 1, backoff: false, fetch_types: false, onnotice: () => {} };
  const sql = postgres(url, options);
  return {
    sql,
    askFor: async (n: number) => [...(await sql`select ${n}::int as n`)],
    [Symbol.asyncDispose]: () => sql.end({ timeout: 0 }),
  };
}

/** What PostgreSQL says while it comes up. */
const startingUp = Buffer.from("E\0\0\0\x23SFATAL\0C57P03\0Mis starting up\0\0", "latin1");

/** A way to PostgreSQL whose connections end in the middle of the answer that holds `cut here`. */
async function openCutting(end: (socket: Socket) => void) {
  let refuses = false;
  const listener = net.createServer((near) => {
    near.on("error", () => {});
    if (refuses) return near.once("data", () => near.end(startingUp));
    const far = net.connect(Number(server.port), server.hostname).on("error", () => {});
    near.on("close", () => far.destroy());
    near.pipe(far);
    far.on("data", (piece) => {
      const at = piece.indexOf("cut here");
      near.write(at < 0 ? piece : piece.subarray(0, at), () => at < 0 || end(near));
    });
  });
  await once(listener.listen(0, "127.0.0.1"), "listening");
  const url = new URL(server);
  url.host = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const pool = openPool(url.href);
  return {
    ...pool,
    refuse: () => (refuses = true),
    rows: async (word: string) => [
      ...(await pool.sql`
        select case n when 3 then 'cut ' || ${word} else 'row' end from generate_series(1, 5) n`),
    ],
    async [Symbol.asyncDispose]() {
      await pool[Symbol.asyncDispose]();
      listener.close();
    },
  };
}

test("rows that came before an error are in nobody else's answer", async () => {
  await using pool = openPool(server.href);
  const failing = pool.sql`select 1 / (3 - n) from generate_series(1, ${5}) n`;
  await assert.rejects(failing, { code: "22012" });
  assert.deepEqual(await pool.askFor(1), [{ n: 1 }]);
});

test("an error that ended a connection is in nobody else's answer", async () => {
  await using pool = openPool(server.href);
  await using other = openPool(server.href);
  const [{ pid } = {}] = await pool.sql`select pg_backend_pid() as pid`;
  const waiting = assert.rejects(async () => pool.sql`select pg_sleep(60)`, isDatabaseAway);
  await waitFor("the query to run", async () => {
    const found = await other.sql`
      select from pg_stat_activity where pid = ${pid} and wait_event = 'PgSleep'`;
    return found.length === 1;
  });
  await other.sql`select pg_terminate_backend(${pid})`;
  await waiting;
  assert.deepEqual(await pool.askFor(1), [{ n: 1 }]);
});

for (const [ending, end] of Object.entries(endings)) {
  test(`rows that came before a connection was ${ending} are in nobody else's answer`, async () => {
    await using pool = await openCutting(end);
    await assert.rejects(pool.rows("here"), isDatabaseAway);
    assert.deepEqual(await pool.askFor(1), [{ n: 1 }]);
  });

  test(`who asks at the moment at which a connection is ${ending} is not forgotten`, async () => {
    await using pool = await openCutting(end);
    // Statements that PostgreSQL knows already share a connection: the next one is sent behind the last.
    assert.equal((await pool.rows("there")).length, 5);
    assert.deepEqual(await pool.askFor(1), [{ n: 1 }]);
    const asked = await pool.rows("here").then(
      () => assert.fail("the answer was cut"),
      () => pool.askFor(2).catch((error) => assert.ok(isDatabaseAway(error), error)),
    );
    assert.deepEqual(asked ?? [{ n: 2 }], [{ n: 2 }]);
    for (const n of [3, 4, 5]) assert.deepEqual(await pool.askFor(n), [{ n }]);
  });

  test(`a server that refuses who comes back after a connection was ${ending} is heard`, async () => {
    await using pool = await openCutting(end);
    await assert.rejects(pool.rows("here"), isDatabaseAway);
    pool.refuse();
    await assert.rejects(pool.askFor(1), { code: "57P03" });
  });
}
