import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { charge, quotaOf } from "./gcra.ts";

/** The times at which requests at these times were let through. */
function admitted(perMinute: number, times: readonly number[]): number[] {
  let due: number | undefined;
  return times.filter((time) => {
    const { verdict, dueMs } = charge(due, time, quotaOf(perMinute));
    due = dueMs;
    return verdict.allowed;
  });
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, each) => total + each, 0);

test("no 60 s ever see more than the limit", () => {
  const gaps = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), gaps, (perMinute, pauses) => {
      const starts = pauses.map((_, index) => sum(pauses.slice(0, index)));
      const passed = admitted(
        perMinute,
        starts.flatMap((time) => Array(5).fill(time)),
      );
      for (const [index, time] of passed.entries()) {
        const inWindow = passed.slice(index).filter((each) => each <= time + 60_000);
        assert.ok(inWindow.length <= perMinute);
      }
    }),
  );
});

test("a fifth may come at once, the rest evenly over the minute", () => {
  const eachSecond = Array.from({ length: 60 }, (_, second) => second * 1_000);
  assert.equal(admitted(10, Array(10).fill(0)).length, 2);
  assert.equal(
    admitted(
      60,
      eachSecond.flatMap((time) => Array(3).fill(time)),
    ).length,
    12 + 47,
  );
});

test("even the smallest limits let one through", () => {
  assert.equal(admitted(1, [0, 1, 59_999, 60_000, 60_001]).length, 2);
  assert.equal(admitted(2, [0, 1, 60_001]).length, 2);
});

test("a refused request costs nothing, and is told when to come back", () => {
  const quota = { burst: 1, emissionMs: 1_000 };
  const first = charge(undefined, 0, quota);
  const second = charge(first.dueMs, 400, quota);
  assert.deepEqual(second.verdict, {
    allowed: false,
    remaining: 0,
    retryAfterMs: 600,
    resetMs: 600,
  });
  assert.equal(second.dueMs, first.dueMs);
  assert.equal(charge(second.dueMs, 1_000, quota).verdict.allowed, true);
});

test("what is left and when all is back is told", () => {
  const quota = { burst: 3, emissionMs: 1_000 };
  const first = charge(undefined, 0, quota);
  assert.deepEqual(first.verdict, { allowed: true, remaining: 2, retryAfterMs: 0, resetMs: 1_000 });
  assert.equal(charge(first.dueMs, 0, quota).verdict.remaining, 1);
});
