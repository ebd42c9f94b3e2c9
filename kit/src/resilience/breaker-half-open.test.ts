import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { must, setUp } from "./breaker-rig.ts";

describe("a half-open breaker", () => {
  test("lets three calls pass and turns the rest away at once", () => {
    const { halfOpen, ask, breaker } = setUp();
    halfOpen();
    assert.ok(ask());
    assert.ok(ask());
    assert.ok(ask());
    assert.equal(ask(), undefined);
    assert.equal(breaker.snapshot().leases, 3);
  });

  test("closes after three successes, with an empty window", () => {
    const { halfOpen, calls, state, breaker, transitions } = setUp();
    halfOpen();
    calls(2, "success");
    assert.equal(state(), "half-open");
    calls(1, "success");
    assert.equal(state(), "closed");
    assert.equal(breaker.snapshot().window.calls, 0);
    assert.equal(transitions.at(-1)?.reason, "probes-succeeded");
  });

  test("makes no fourth call before it knows of the three", () => {
    const { halfOpen, ask, calls } = setUp();
    halfOpen();
    must(ask());
    calls(2, "success");
    assert.equal(ask(), undefined);
  });

  test("opens again at the first failure, and the other leases no longer count", () => {
    const { halfOpen, ask, state, breaker, transitions } = setUp();
    halfOpen();
    const [first, second] = [must(ask()), must(ask())];
    first.settle("failure");
    assert.equal(state(), "open");
    assert.equal(transitions.at(-1)?.reason, "probe-failed");
    const before = breaker.snapshot();
    second.settle("success");
    assert.deepEqual(breaker.snapshot(), before);
  });

  test("gives a lease back when its call says nothing", () => {
    const { halfOpen, ask } = setUp();
    halfOpen();
    const permits = [must(ask()), must(ask()), must(ask())];
    permits[0]?.settle("neutral");
    assert.ok(ask());
    assert.equal(ask(), undefined);
  });

  test("takes a lease that is not settled 250 ms after its deadline as failed", () => {
    const { halfOpen, ask, state, clock, transitions } = setUp();
    halfOpen();
    const lost = must(ask(1_000));
    clock.ms += 1_249;
    assert.equal(state(), "half-open");
    clock.ms += 1;
    lost.settle("success");
    assert.equal(state(), "open");
    assert.equal(transitions.at(-1)?.reason, "probe-lost");
  });

  test("is no dead end when every lease is lost", () => {
    const { halfOpen, ask, clock, breaker } = setUp();
    halfOpen();
    for (let i = 0; i < 3; i++) must(ask(1_000));
    clock.ms += 1_250;
    assert.equal(ask(), undefined);
    clock.ms += breaker.openForMs;
    assert.ok(ask());
  });
});
