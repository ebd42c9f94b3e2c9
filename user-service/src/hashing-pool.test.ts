import assert from "node:assert/strict";
import { test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf, retryAfterSecondsOf } from "@3l1/kit/rpc/failure.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { createHashingPool } from "./hashing-pool.ts";

/** Longer than any test. */
const longMs = 60_000;

/** A hash that takes until it is told to end. */
function hash() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let started = false;
  const run = () => {
    started = true;
    return promise;
  };
  return { run, end: resolve, hasStarted: () => started };
}

test("only so many hashes run at a time, the rest in the order in which they came", async () => {
  const pool = createHashingPool(2, 10, longMs);
  const hashes = [hash(), hash(), hash(), hash()];
  const started = () => hashes.map(({ hasStarted }) => hasStarted());
  const ends = hashes.map(({ run }) => pool.run(run));
  await Promise.resolve();
  assert.deepEqual(started(), [true, true, false, false]);
  assert.deepEqual(pool.load(), { running: 2, waiting: 2 });
  hashes[1]?.end();
  await ends[1];
  await Promise.resolve();
  assert.deepEqual(started(), [true, true, true, false]);
  for (const { end } of hashes) end();
  await Promise.all(ends);
  assert.deepEqual(pool.load(), { running: 0, waiting: 0 });
});

test("when the queue is full, the answer says so and when to come back", async () => {
  const pool = createHashingPool(1, 1, longMs);
  const [running, waiting] = [hash(), hash()];
  const ends = [pool.run(running.run), pool.run(waiting.run)];
  const error = await pool.run(hash().run).then(() => undefined, ConnectError.from);
  assert.ok(error);
  assert.equal(error.code, Code.Unavailable);
  assert.equal(reasonOf(error), Reason.PASSWORD_HASHING_BUSY);
  assert.equal(retryAfterSecondsOf(error), 1);
  running.end();
  waiting.end();
  await Promise.all(ends);
});

test("a turn that does not come in time is not waited for, however slow the hashes are", async () => {
  const pool = createHashingPool(1, 1, 1);
  const [running, late] = [hash(), hash()];
  const first = pool.run(running.run);
  const error = await pool.run(late.run).then(() => undefined, ConnectError.from);
  assert.ok(error);
  assert.equal(reasonOf(error), Reason.PASSWORD_HASHING_BUSY);
  assert.deepEqual(pool.load(), { running: 1, waiting: 0 });
  running.end();
  await first;
  assert.equal(late.hasStarted(), false);
});

test("whoever leaves gives the place in the queue back, and never runs", async () => {
  const pool = createHashingPool(1, 1, longMs);
  const [running, abandoned, next] = [hash(), hash(), hash()];
  const controller = new AbortController();
  const first = pool.run(running.run);
  const second = pool.run(abandoned.run, controller.signal);
  controller.abort(new Error("left"));
  await assert.rejects(second, /left/);
  const third = pool.run(next.run);
  running.end();
  next.end();
  await Promise.all([first, third]);
  assert.equal(abandoned.hasStarted(), false);
  await assert.rejects(pool.run(hash().run, AbortSignal.abort(new Error("gone"))), /gone/);
});

test("a hash that fails makes room for the next", async () => {
  const pool = createHashingPool(1, 1, longMs);
  await assert.rejects(
    pool.run(() => Promise.reject(new Error("bad hash"))),
    /bad hash/,
  );
  assert.equal(await pool.run(async () => "fine"), "fine");
});
