import assert from "node:assert/strict";
import { test } from "node:test";
import { AdaptiveLimit } from "./adaptive-limit.ts";

const fast = { name: "fast" };
const slow = { name: "slow" };

function setUp() {
  const clock = { ms: 1_000 };
  const limit = new AdaptiveLimit(() => clock.ms);
  /** A window of twenty calls of each method given, all of the same latency. */
  const window = (latencies: [method: object, ms: number][], underWay: number) => {
    for (let i = 0; i < 20; i++) {
      clock.ms += 5;
      for (const [method, ms] of latencies) limit.answered(method, ms, underWay);
    }
  };
  const windows = (count: number, latencyMs: number, underWay: number) => {
    for (let i = 0; i < count; i++) window([[fast, latencyMs]], underWay);
  };
  return { clock, limit, window, windows };
}

test("starts at a hundred", () => {
  assert.equal(setUp().limit.limit, 100);
});

test("grows by ten a window while it is in the way", () => {
  const { limit, windows } = setUp();
  windows(11, 5, 100);
  assert.equal(limit.limit, 210);
});

test("grows no faster than calls come back that were sent under the last step", () => {
  const { limit, windows } = setUp();
  windows(1, 5, 100);
  assert.equal(limit.limit, 110);
  windows(10, 200, 110);
  assert.equal(limit.limit, 160);
});

test("does not grow while fewer than half of the turns are taken", () => {
  const { limit, windows } = setUp();
  windows(50, 5, 49);
  assert.equal(limit.limit, 100);
});

test("never grows beyond 512", () => {
  const { limit, windows } = setUp();
  windows(1_000, 5, 512);
  assert.equal(limit.limit, 512);
});

test("falls by a tenth a window while every call is late, but not below eight", () => {
  const { limit, windows } = setUp();
  windows(2, 5, 40);
  windows(3, 261, 40);
  assert.equal(limit.limit, 72);
  windows(40, 261, 40);
  assert.equal(limit.limit, 8);
});

test("does not call twice the best latency and a quarter of a second late", () => {
  const { limit, windows } = setUp();
  windows(3, 5, 40);
  windows(50, 260, 40);
  assert.equal(limit.limit, 100);
});

test("does not fall for a slow method alone: no queue stands where others are in time", () => {
  const { limit, window } = setUp();
  const both = (fastMs: number, slowMs: number) =>
    window(
      [
        [fast, fastMs],
        [slow, slowMs],
      ],
      40,
    );
  both(1, 30);
  for (let i = 0; i < 50; i++) both(1, 900);
  assert.equal(limit.limit, 100);
  for (let i = 0; i < 50; i++) both(400, 900);
  assert.equal(limit.limit, 8);
});

test("falls once a window however many calls say that there is too much to do", () => {
  const { limit, clock } = setUp();
  clock.ms += 100;
  for (let i = 0; i < 100; i++) limit.overloaded();
  assert.equal(limit.limit, 90);
  clock.ms += 100;
  limit.overloaded();
  assert.equal(limit.limit, 81);
});

test("judges nothing by fewer than ten calls", () => {
  const { limit, clock, windows } = setUp();
  windows(2, 5, 40);
  clock.ms += 60_000;
  for (let i = 0; i < 9; i++) limit.answered(fast, 900, 100);
  assert.equal(limit.limit, 100);
});

test("forgets the best latency after a minute: what is usual now counts", () => {
  const { limit, clock, windows } = setUp();
  windows(3, 5, 40);
  clock.ms += 60_000;
  windows(3, 600, 40);
  assert.equal(limit.limit, 100);
});

test("remembers the best latency for thirty seconds at least", () => {
  const { limit, clock, windows } = setUp();
  windows(3, 5, 40);
  clock.ms += 29_000;
  windows(20, 600, 40);
  assert.ok(limit.limit < 100, String(limit.limit));
});

test("does not get used to a queue that stands for long", () => {
  const { limit, clock, windows } = setUp();
  windows(3, 5, 40);
  for (let minute = 0; minute < 15; minute++) {
    clock.ms += 60_000;
    windows(1, 600, limit.limit);
  }
  assert.ok(limit.limit < 25, String(limit.limit));
});

test("gets used to a latency that even the fewest calls have for five seconds", () => {
  const { limit, windows } = setUp();
  windows(3, 5, 40);
  windows(25, 600, 100);
  assert.equal(limit.limit, 8);
  windows(45, 600, 8);
  assert.equal(limit.limit, 8);
  windows(10, 600, 8);
  assert.ok(limit.limit > 8, String(limit.limit));
  // And finds the new place where a queue begins: later than twice 600 ms and a quarter of a second.
  windows(20, 1_400, 100);
  windows(20, 1_500, 100);
  assert.ok(limit.limit < 100, String(limit.limit));
});

test("does not get used to an upstream that says that it has too much to do", () => {
  const { limit, clock, windows } = setUp();
  windows(3, 5, 40);
  for (let i = 0; i < 300; i++) {
    windows(1, 600, 8);
    clock.ms += 1;
    limit.overloaded();
  }
  assert.equal(limit.limit, 8);
});

test("starts to get used to it anew when a call was in time", () => {
  const { limit, windows } = setUp();
  windows(3, 5, 40);
  windows(25, 600, 100);
  for (let i = 0; i < 5; i++) {
    windows(40, 600, 8);
    windows(1, 5, 3);
  }
  assert.equal(limit.limit, 8);
});
