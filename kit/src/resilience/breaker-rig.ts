import assert from "node:assert/strict";
import { Breaker, type Permit, type Transition } from "./breaker.ts";
import type { Outcome } from "./breaker-circuit.ts";

/** For the tests of the breaker: one whose clock and chance the test holds. */
export function setUp(random = 0.999_999) {
  const clock = { ms: 5_000_000 };
  const transitions: Transition[] = [];
  const breaker = new Breaker({
    now: () => clock.ms,
    random: () => random,
    onTransition: (transition) => transitions.push(transition),
  });
  const ask = (timeoutMs = 5_000) => breaker.acquire(timeoutMs);
  const call = (outcome: Outcome, slow = false) => {
    const permit = ask();
    assert.ok(permit, "the breaker should let the call pass");
    permit.settle(outcome, slow);
  };
  const calls = (count: number, outcome: Outcome, slow = false) => {
    for (let i = 0; i < count; i++) call(outcome, slow);
  };
  const state = () => breaker.snapshot().state;
  const trip = () => calls(6, "failure");
  const halfOpen = () => {
    trip();
    clock.ms += 5_000;
    assert.equal(state(), "half-open");
  };
  return { breaker, clock, transitions, ask, call, calls, state, trip, halfOpen };
}

/** The permit, which the breaker should have given. */
export function must(permit: Permit | undefined): Permit {
  assert.ok(permit);
  return permit;
}
