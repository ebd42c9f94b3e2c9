import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type AddressHealth,
  afterFailure,
  afterSuccess,
  healthyAddress,
  isEjected,
} from "./address-health.ts";

const failTimes = (health: AddressHealth, times: number, nowMs: number, random = 1) =>
  Array.from({ length: times }).reduce<AddressHealth>(
    (before) => afterFailure(before, nowMs, random),
    health,
  );

test("two failures in a row are chance, three eject", () => {
  assert.equal(isEjected(failTimes(healthyAddress, 2, 0), 0), false);
  assert.equal(isEjected(failTimes(healthyAddress, 3, 0), 0), true);
});

test("a success in between starts the count again", () => {
  const health = afterSuccess(failTimes(healthyAddress, 2, 0), 0);
  assert.equal(isEjected(failTimes(health, 2, 0), 0), false);
});

test("the first ejection lasts between half a second and a second", () => {
  assert.equal(failTimes(healthyAddress, 3, 100, 0).ejectedUntilMs, 600);
  assert.equal(failTimes(healthyAddress, 3, 100, 1).ejectedUntilMs, 1_100);
});

test("an address that comes back and fails at once is out for twice as long, up to 30 s", () => {
  let health = failTimes(healthyAddress, 3, 0);
  const lasted: number[] = [];
  for (let round = 0; round < 7; round++) {
    const backAtMs = health.ejectedUntilMs;
    health = afterFailure(health, backAtMs, 1);
    lasted.push(health.ejectedUntilMs - backAtMs);
  }
  assert.deepEqual(lasted, [2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
});

test("late failures of calls sent before the ejection do not lengthen it", () => {
  const health = failTimes(healthyAddress, 3, 0);
  assert.equal(failTimes(health, 5, 500).ejectedUntilMs, health.ejectedUntilMs);
});

test("a minute of good behaviour is forgiveness", () => {
  const health = failTimes(healthyAddress, 3, 0);
  const soon = afterSuccess(health, health.ejectedUntilMs + 59_000);
  assert.equal(soon.ejections, 1);
  assert.equal(afterSuccess(soon, health.ejectedUntilMs + 60_001), healthyAddress);
});
