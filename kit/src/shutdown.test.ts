import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { pino } from "pino";
import { createShutdown } from "./shutdown.ts";

const logger = pino({ level: "silent" });

afterEach(() => {
  for (const signal of ["SIGTERM", "SIGINT"]) process.removeAllListeners(signal);
});

test("what was opened last closes first, each after the one before", async () => {
  const order: string[] = [];
  const exits: number[] = [];
  const shutdown = createShutdown(logger, (code) => exits.push(code));
  shutdown.defer("pool", () => order.push("pool"));
  shutdown.defer("server", async () => {
    assert.ok(shutdown.signal.aborted);
    await Promise.resolve();
    order.push("server");
  });
  await shutdown.begin("test");
  assert.deepEqual([order, exits], [["server", "pool"], [0]]);
});

test("a close that fails does not keep the others from closing, and the exit code tells", async () => {
  const order: string[] = [];
  const exits: number[] = [];
  const shutdown = createShutdown(logger, (code) => exits.push(code));
  shutdown.defer("pool", () => order.push("pool"));
  shutdown.defer("server", () => Promise.reject(new Error("stuck")));
  await shutdown.begin("test");
  assert.deepEqual([order, exits], [["pool"], [1]]);
});

test("a second signal does not close anything twice", async () => {
  const order: string[] = [];
  const exits: number[] = [];
  const shutdown = createShutdown(logger, (code) => exits.push(code));
  shutdown.defer("pool", () => order.push("pool"));
  process.emit("SIGTERM");
  process.emit("SIGINT");
  await shutdown.begin("test");
  assert.deepEqual([order, exits], [["pool"], [0]]);
});
