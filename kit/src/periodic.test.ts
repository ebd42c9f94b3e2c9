import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "./logger.ts";
import { runPeriodically } from "./periodic.ts";
import { waitFor } from "./wait-for.ts";

const logger = createLogger("test", "silent");
const never = 2 ** 31 - 1;

test("a task runs again and again, also after it has failed", async () => {
  let runs = 0;
  const run = async () => {
    runs++;
    throw new Error("not now");
  };
  const periodic = runPeriodically({ name: "task", everyMs: 1, run, logger });
  await waitFor("some runs", () => runs > 3);
  await periodic.stop();
  const ran = runs;
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(runs, ran, "it has stopped");
});

test("a task can be called for at once, never runs twice at a time, and loses no call", async () => {
  const ends: (() => void)[] = [];
  let atOnce = 0;
  const run = async () => {
    assert.equal(++atOnce, 1);
    await new Promise<void>((resolve) => ends.push(resolve));
    atOnce--;
  };
  const periodic = runPeriodically({ name: "task", everyMs: never, run, logger });
  periodic.soon();
  await waitFor("the first run", () => ends.length === 1);
  periodic.soon();
  periodic.soon();
  ends[0]?.();
  await waitFor("the second run", () => ends.length === 2);
  const stopped = periodic.stop();
  ends[1]?.();
  await stopped;
  assert.equal(ends.length, 2);
  assert.equal(atOnce, 0, "stopping waited for the run under way");
});
