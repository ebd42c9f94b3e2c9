import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setUp } from "./breaker-rig.ts";

describe("a closed breaker", () => {
  test("lets every call pass", () => {
    const { calls, state } = setUp();
    calls(1_000, "success");
    assert.equal(state(), "closed");
  });

  test("trips at six failures in a row, not at five", () => {
    const { calls, call, state, transitions } = setUp();
    calls(5, "failure");
    assert.equal(state(), "closed");
    call("failure");
    assert.equal(state(), "open");
    assert.deepEqual(transitions, [{ from: "closed", to: "open", reason: "failures-in-a-row" }]);
  });

  test("counts failures in a row over any time, and a success starts over", () => {
    const { calls, call, state, clock } = setUp();
    calls(5, "failure");
    call("success");
    for (let i = 0; i < 5; i++) {
      clock.ms += 60_000;
      call("failure");
    }
    assert.equal(state(), "closed");
    call("failure");
    assert.equal(state(), "open");
  });

  test("trips when half of at least twenty calls have failed", () => {
    const { call, state, transitions } = setUp();
    for (let i = 0; i < 9; i++) {
      call("failure");
      call("success");
    }
    call("failure");
    assert.equal(state(), "closed", "ten of nineteen failed, but nineteen are too few");
    call("success");
    assert.equal(state(), "open");
    assert.equal(transitions[0]?.reason, "failure-ratio");
  });

  test("stays closed while fewer than half fail", () => {
    const { call, state } = setUp();
    for (let i = 0; i < 100; i++) {
      call("success");
      call("failure");
      call("success");
    }
    assert.equal(state(), "closed");
  });

  test("trips when eight in ten of at least twenty calls are slow", () => {
    const { call, calls, state, transitions } = setUp();
    calls(4, "success");
    calls(15, "success", true);
    assert.equal(state(), "closed");
    call("success", true);
    assert.equal(state(), "open");
    assert.equal(transitions[0]?.reason, "slow-ratio");
  });

  test("counts a slow failure as slow, too", () => {
    const { call, calls, state, transitions } = setUp();
    calls(4, "success");
    for (let i = 0; i < 4; i++) {
      call("failure", true);
      calls(3, "success", true);
    }
    assert.equal(state(), "open");
    assert.equal(transitions[0]?.reason, "slow-ratio");
  });

  test("forgets what is older than its window of ten seconds", () => {
    const { calls, state, clock, breaker } = setUp();
    calls(2, "success");
    calls(5, "failure");
    calls(2, "success");
    calls(4, "failure");
    clock.ms += 10_000;
    calls(3, "success");
    calls(4, "failure");
    assert.equal(state(), "closed");
    assert.deepEqual(breaker.snapshot().window, { calls: 7, failures: 4, slow: 0 });
  });

  test("keeps what is younger than nine seconds", () => {
    const { calls, state, clock } = setUp();
    calls(5, "success");
    calls(5, "failure");
    clock.ms += 9_000;
    calls(5, "success");
    calls(5, "failure");
    assert.equal(state(), "open");
  });

  test("does not count neutral calls, nor do they end a row of failures", () => {
    const { call, calls, state, breaker } = setUp();
    calls(5, "failure");
    calls(100, "neutral");
    assert.deepEqual(breaker.snapshot().window, { calls: 5, failures: 5, slow: 0 });
    call("failure");
    assert.equal(state(), "open");
  });
});
