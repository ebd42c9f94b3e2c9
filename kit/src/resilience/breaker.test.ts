import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { must, setUp } from "./breaker-rig.ts";

describe("a permit", () => {
  test("is settled once: later words change nothing", () => {
    const { ask, breaker } = setUp();
    const permit = must(ask());
    permit.settle("success");
    for (let i = 0; i < 10; i++) permit.settle("failure");
    assert.deepEqual(breaker.snapshot().window, { calls: 1, failures: 0, slow: 0 });
  });

  test("settled twice while half-open gives back one lease", () => {
    const { halfOpen, ask } = setUp();
    halfOpen();
    const first = must(ask());
    must(ask());
    must(ask());
    first.settle("neutral");
    first.settle("neutral");
    assert.ok(ask());
    assert.equal(ask(), undefined);
  });

  test("is current until the breaker changes its state", () => {
    const { ask, trip } = setUp();
    const permit = must(ask());
    assert.equal(permit.current, true);
    trip();
    assert.equal(permit.current, false);
  });
});

test("the snapshot keeps the last twenty changes, the latest first", () => {
  const { trip, ask, clock, breaker } = setUp();
  trip();
  for (let i = 0; i < 15; i++) {
    clock.ms += breaker.openForMs;
    must(ask()).settle("failure");
  }
  clock.ms += 7;
  const { transitions } = breaker.snapshot();
  assert.equal(transitions.length, 20);
  assert.deepEqual(transitions[0], {
    from: "half-open",
    to: "open",
    reason: "probe-failed",
    agoMs: 7,
  });
});
