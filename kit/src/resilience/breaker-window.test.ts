import assert from "node:assert/strict";
import { test } from "node:test";
import { emptyWindow, totals, withCall } from "./breaker-window.ts";

test("counts calls, failures and slow ones", () => {
  let window = withCall(emptyWindow, 100, true, false);
  window = withCall(window, 200, false, true);
  window = withCall(window, 3_000, true, true);
  assert.deepEqual(totals(window, 3_000), { calls: 3, failures: 2, slow: 2 });
});

test("forgets a call with its second, ten seconds later", () => {
  const window = withCall(emptyWindow, 1_999, true, true);
  assert.equal(totals(window, 10_999).calls, 1);
  assert.deepEqual(totals(window, 11_000), { calls: 0, failures: 0, slow: 0 });
});

test("holds ten buckets at most, however long it is used", () => {
  let window = emptyWindow;
  for (let ms = 0; ms < 100_000; ms += 250) window = withCall(window, ms, false, false);
  assert.equal(window.length, 10);
  assert.equal(totals(window, 100_000).calls, 9 * 4);
});

test("is never changed in place", () => {
  const before = withCall(emptyWindow, 0, false, false);
  withCall(before, 1, true, true);
  assert.deepEqual(totals(before, 1), { calls: 1, failures: 0, slow: 0 });
});
