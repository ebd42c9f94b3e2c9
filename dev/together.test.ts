import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { together } from "./together.ts";

test("results come in the order of the tasks", async () => {
  const tasks = [sleep(5, "a"), Promise.resolve(2)] as const;
  assert.deepEqual(await together(new AbortController(), ...tasks), ["a", 2]);
});

test("the first failure is told, after the others have given up", async () => {
  const giveUp = new AbortController();
  let cleaned = false;
  const slow = sleep(60_000, undefined, { signal: giveUp.signal }).finally(() => {
    cleaned = true;
  });
  const failing = sleep(1).then(() => Promise.reject(new Error("the cause")));
  await assert.rejects(together(giveUp, slow, failing), /the cause/);
  assert.equal(cleaned, true);
});
