import assert from "node:assert/strict";
import { test } from "node:test";
import { backoffMs } from "./backoff.ts";

test("the pause may be nothing at all", () => {
  assert.equal(backoffMs(0, 0), 0);
  assert.equal(backoffMs(5, 0), 0);
});

test("the bound of the pause doubles from 50 ms up to a second", () => {
  const bounds = [0, 1, 2, 3, 4, 5, 50, 5_000].map((retry) => backoffMs(retry, 1));
  assert.deepEqual(bounds, [50, 100, 200, 400, 800, 1_000, 1_000, 1_000]);
});
