import assert from "node:assert/strict";
import { test } from "node:test";
import { formatMs, formatRate, formatShare } from "./numbers.ts";

test("durations, shares and rates are as short as they can be said", () => {
  assert.deepEqual([0, 0.42, 9.96, 140.4, 1234].map(formatMs), [
    "–",
    "0.4 ms",
    "10.0 ms",
    "140 ms",
    "1.2 s",
  ]);
  assert.deepEqual([0, 0.004, 0.5, 1].map(formatShare), ["0 %", "0.4 %", "50 %", "100 %"]);
  assert.equal(formatRate([], 5), "0/s");
  assert.equal(formatRate([0, 1, 0, 0], 5), "< 0.1/s");
  assert.equal(formatRate([10, 20], 5), "3.0/s");
  assert.equal(formatRate([100, 200], 5), "30/s");
});
