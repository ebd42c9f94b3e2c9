import assert from "node:assert/strict";
import { test } from "node:test";
import { quantileOf } from "./quantile.ts";

const bounds = [10, 20, Number.POSITIVE_INFINITY];

test("a quantile lies within its bucket in proportion to its rank", () => {
  assert.equal(quantileOf({ bounds, counts: [4, 8, 8] }, 0.5), 10);
  assert.equal(quantileOf({ bounds, counts: [4, 8, 8] }, 0.75), 15);
  assert.equal(quantileOf({ bounds, counts: [0, 10, 10] }, 0.99), 19.9);
  assert.equal(quantileOf({ bounds, counts: [10, 10, 10] }, 0.5), 5);
});

test("beyond the last bound nothing is known but that bound", () => {
  assert.equal(quantileOf({ bounds, counts: [0, 0, 3] }, 0.5), 20);
});

test("without observations it is 0", () => {
  assert.equal(quantileOf({ bounds, counts: [0, 0, 0] }, 0.99), 0);
  assert.equal(quantileOf({ bounds: [], counts: [] }, 0.99), 0);
});
