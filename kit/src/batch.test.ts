import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { batched } from "./batch.ts";

test("what comes in one turn is asked for at once, and everybody gets the own answer", async () => {
  const asked: (readonly number[])[] = [];
  const double = batched(10, async (items: readonly number[]) => {
    asked.push(items);
    return items.map((item) => 2 * item);
  });
  assert.deepEqual(await Promise.all([1, 2, 3].map(double)), [2, 4, 6]);
  assert.equal(await double(4), 8);
  assert.deepEqual(asked, [[1, 2, 3], [4]]);
});

test("a full batch leaves at once, and the rest with the end of the turn", async () => {
  const sizes: number[] = [];
  const ask = batched(2, async (items: readonly number[]) => {
    sizes.push(items.length);
    return items;
  });
  const answers = Promise.all([1, 2, 3].map(ask));
  assert.deepEqual(sizes, [2]);
  assert.deepEqual(await answers, [1, 2, 3]);
  await nextTurn();
  assert.deepEqual(sizes, [2, 1]);
});

test("a failure is that of all who asked together, and of nobody else", async () => {
  let fails = true;
  const ask = batched(10, async (items: readonly number[]) => {
    if (fails) throw new Error("away");
    return items;
  });
  const results = await Promise.allSettled([1, 2].map(ask));
  assert.deepEqual(
    results.map(({ status }) => status),
    ["rejected", "rejected"],
  );
  fails = false;
  assert.equal(await ask(3), 3);
});
