import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Breaker, type Permit, type Transition } from "./breaker.ts";
import type { Outcome } from "./breaker-circuit.ts";

/** A breaker whose clock and chance the test holds. */
function setUp(random = 0.999_999) {
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

function must(permit: Permit | undefined): Permit {
  assert.ok(permit);
  return permit;
}

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
