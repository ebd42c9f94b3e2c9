import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { must, setUp } from "./breaker-rig.ts";

describe("an open breaker", () => {
  test("turns every call away until its time is over", () => {
    const { trip, ask, clock, breaker } = setUp();
    trip();
    assert.ok(Math.abs(breaker.openForMs - 5_000) < 1);
    clock.ms += 4_999;
    assert.equal(ask(), undefined);
    clock.ms += 1;
    assert.ok(ask());
  });

  test("stays open for at least half of the time, as chance has it", () => {
    const { trip, ask, clock } = setUp(0);
    trip();
    clock.ms += 2_499;
    assert.equal(ask(), undefined);
    clock.ms += 1;
    assert.ok(ask());
  });

  test("stays open twice as long each time, up to a minute", () => {
    const { trip, ask, clock, breaker } = setUp();
    trip();
    const times: number[] = [];
    for (let i = 0; i < 6; i++) {
      times.push(Math.round(breaker.openForMs));
      clock.ms += breaker.openForMs;
      must(ask()).settle("failure");
    }
    assert.deepEqual(times, [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]);
  });

  test("remembers the last times when it trips again within a minute", () => {
    const { halfOpen, calls, clock, trip, breaker } = setUp();
    halfOpen();
    calls(3, "success");
    clock.ms += 59_999;
    trip();
    assert.equal(Math.round(breaker.openForMs), 10_000);
  });

  test("starts over with short times after a minute closed", () => {
    const { halfOpen, calls, clock, trip, breaker } = setUp();
    halfOpen();
    calls(3, "success");
    clock.ms += 60_000;
    trip();
    assert.equal(Math.round(breaker.openForMs), 5_000);
  });

  test("lets no result of the time before change anything", () => {
    const { ask, trip, state, breaker } = setUp();
    const early = [must(ask()), must(ask()), must(ask())];
    trip();
    const before = breaker.snapshot();
    for (const permit of early) permit.settle("success");
    assert.deepEqual(breaker.snapshot(), before);
    assert.equal(state(), "open");
    assert.equal(early[0]?.current, false);
  });
});
