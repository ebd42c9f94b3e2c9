import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { after, before, beforeEach, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import postgres from "postgres";
import { reasonOf } from "../rpc/failure.ts";
import { toConnectError } from "../rpc/service-error.ts";
import { createTcpGate, type TcpGate } from "../tcp-gate.ts";
import { waitFor } from "../wait-for.ts";
import { guardQueries, type QueryGuard } from "./query-guard.ts";

const connections = 2;
const maxPending = 200;
/** Waited for in full by the tests of silence, and more than a busy machine needs for a few queries. */
const timeoutMs = 1_000;

let gate: TcpGate;
let guard: QueryGuard;
let open: () => postgres.Sql;
let opened = 0;

before(async () => {
  const server = process.env.TEST_DATABASE_URL;
  assert.ok(server, "TEST_DATABASE_URL is missing; `npm test` starts a PostgreSQL");
  const url = new URL(server);
  gate = await createTcpGate(url.hostname, Number(url.port));
  url.host = `127.0.0.1:${gate.port}`;
  open = () => {
    opened++;
    const options = { max: connections, connect_timeout: 10, fetch_types: false };
    return postgres(url.href, { ...options, onnotice: () => {} });
  };
  guard = guardFor(timeoutMs);
});
after(async () => {
  await guard?.close();
  await gate?.shut();
});
beforeEach(async () => {
  await gate.open();
  await comesBack();
  opened = 0;
});

const guardFor = (ms: number, openPool = open) =>
  guardQueries({
    open: openPool,
    timeoutMs: ms,
    maxPending,
    pauseMs: 20,
    now: () => performance.now(),
  });

const ask = () => outcome(guard.run((sql) => sql`select 1`));
const many = (count: number, one = ask) => Promise.all(Array.from({ length: count }, one));

const comesBack = () => waitFor("an answer", async () => (await ask()) === "answer");

function outcome(query: Promise<unknown>): Promise<string> {
  return query.then(
    () => "answer",
    (error) =>
      reasonOf(toConnectError(error)) === Reason.DATABASE_UNAVAILABLE ? "away" : String(error),
  );
}

test("queries beyond the bound fail at once, and the others get their answers", async () => {
  const patient = guardFor(60_000);
  const outcomes = await many(maxPending + 50, () => outcome(patient.run((sql) => sql`select 1`)));
  assert.equal(outcomes.filter((each) => each === "answer").length, maxPending);
  assert.equal(outcomes.filter((each) => each === "away").length, 50);
  assert.equal(opened, 1);
  await patient.close();
});

test("when the server is gone, all that wait for it fail together", async () => {
  await gate.shut();
  assert.deepEqual(new Set(await many(maxPending)), new Set(["away"]));
  assert.equal(opened, 1);
});

test("when nothing is heard any more, queries fail in time, and new connections are made", async () => {
  await gate.freeze();
  assert.deepEqual(new Set(await many(50)), new Set(["away"]));
  await gate.open();
  await comesBack();
  assert.deepEqual(new Set(await many(50)), new Set(["answer"]));
});

test("a pooler that ends each connection at once is found out too", async () => {
  await gate.slam();
  assert.deepEqual(new Set(await many(50)), new Set(["away"]));
});

test("while the database is lost, one query at a time tries", async () => {
  await gate.shut();
  await ask();
  await gate.freeze();
  let trying = 0;
  await waitFor("an attempt", async () => {
    const attempts = Array.from({ length: 10 }, () =>
      outcome(
        guard.run((sql) => {
          trying++;
          return sql`select 1`;
        }),
      ),
    );
    assert.deepEqual(new Set(await Promise.all(attempts)), new Set(["away"]));
    return trying > 0;
  });
  assert.equal(trying, 1);
});

test("an error that the server reports, or the caller throws, loses nobody", async () => {
  const wrong = guard.run((sql) => sql`select no_such_column`);
  await assert.rejects(wrong, { code: "42703" });
  const thrown = guard.run((sql) =>
    sql.begin(() => {
      throw new Error("changed my mind");
    }),
  );
  await assert.rejects(thrown, { message: "changed my mind" });
  assert.equal(opened, 0);
});

test("a query that takes too long fails alone while others get answers", async () => {
  let slow: string | undefined;
  void outcome(guard.run((sql) => sql`select pg_sleep(${(2 * timeoutMs) / 1_000})`)).then(
    (result) => (slow = result),
  );
  while (slow === undefined) await ask();
  assert.equal(slow, "away");
  assert.equal(opened, 0);
});

test("a connection that dies while others do well is replaced, and gives its place back", async () => {
  const url = new URL(process.env.TEST_DATABASE_URL ?? "");
  const target = { host: url.hostname, port: Number(url.port) };
  const proxy = net.createServer((near) => {
    const far = net.connect(target).on("error", () => {});
    near.on("error", () => {}).on("close", () => far.destroy());
    far.pipe(near);
    near.on("data", (piece) => {
      if (piece.includes("swallow me")) far.unpipe();
      else far.write(piece);
    });
  });
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  url.host = `127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  let pools = 0;
  const own = guardFor(timeoutMs, () => {
    pools++;
    return postgres(url.href, { max: connections, fetch_types: false, onnotice: () => {} });
  });
  const askOwn = () => outcome(own.run((sql) => sql`select 1`));
  assert.equal(await askOwn(), "answer");
  const swallowed = outcome(own.run((sql) => sql`select 'swallow me'`));
  await waitFor("another pool", async () => {
    assert.equal(await askOwn(), "answer");
    return pools === 2;
  });
  assert.equal(await swallowed, "away");
  assert.deepEqual(new Set(await many(50, askOwn)), new Set(["answer"]));
  assert.deepEqual(own.load(), { pending: 0, lost: false });
  await own.close();
  proxy.close();
});
