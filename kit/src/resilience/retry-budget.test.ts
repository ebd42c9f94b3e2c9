import assert from "node:assert/strict";
import { test } from "node:test";
import { RetryBudget } from "./retry-budget.ts";

function times(count: number, act: () => void): void {
  for (let i = 0; i < count; i++) act();
}

test("a full budget lets 49 failures be retried, and not the fiftieth", () => {
  const budget = new RetryBudget();
  times(49, () => budget.failed());
  assert.equal(budget.allows, true);
  budget.failed();
  assert.equal(budget.tokens, 50);
  assert.equal(budget.allows, false);
});

test("ten successes pay for a failure, to the very tenth", () => {
  const budget = new RetryBudget();
  times(50, () => budget.failed());
  times(300, () => budget.succeeded());
  assert.equal(budget.tokens, 80);
  times(10_000, () => budget.succeeded());
  assert.equal(budget.tokens, 100);
});

test("one success is enough to leave the half", () => {
  const budget = new RetryBudget();
  times(50, () => budget.failed());
  budget.succeeded();
  assert.equal(budget.allows, true);
});

test("never goes below nothing: the way back is bounded, too", () => {
  const budget = new RetryBudget();
  times(1_000, () => budget.failed());
  assert.equal(budget.tokens, 0);
  times(501, () => budget.succeeded());
  assert.equal(budget.allows, true);
});

test("in a long outage of half the calls, few are retried", () => {
  const budget = new RetryBudget();
  let retries = 0;
  times(10_000, () => {
    budget.failed();
    if (budget.allows) retries++;
    budget.succeeded();
  });
  assert.ok(retries < 10_000 * 0.15, `${retries} retries`);
});
