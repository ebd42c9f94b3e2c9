import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Breaker, type Permit } from "./breaker.ts";
import type { Outcome } from "./breaker-circuit.ts";

/** A breaker written the long way: every call is remembered, and nothing is shared with the real one. */
class NaiveBreaker {
  state = "closed";
  era = 0;
  trips = 0;
  closedAt: number;
  openUntil = 0;
  done: { at: number; failed: boolean; slow: boolean }[] = [];
  leases = new Map<object, number>();
  successes = 0;

  constructor(now: number) {
    this.closedAt = now;
  }

  passTime(now: number, random: number): void {
    if (this.state === "open" && now >= this.openUntil) {
      this.enter("half-open");
      this.leases.clear();
      this.successes = 0;
    } else if (this.state === "half-open" && Math.min(...this.leases.values()) <= now) {
      this.open(now, random);
    }
  }

  enter(state: string): void {
    this.state = state;
    this.era++;
  }

  open(now: number, random: number): void {
    const ms = Math.min(60_000, 5_000 * 2 ** this.trips);
    this.openUntil = now + (0.5 + random / 2) * ms;
    this.trips++;
    this.enter("open");
  }

  grants(): boolean {
    if (this.state === "half-open") return this.leases.size + this.successes < 3;
    return this.state === "closed";
  }

  settle(permit: Held, outcome: Outcome, slow: boolean, now: number, random: number): void {
    if (permit.era !== this.era) return;
    this.leases.delete(permit);
    if (outcome === "neutral") return;
    const failed = outcome === "failure";
    if (this.state === "half-open") this.probed(failed, now, random);
    else this.called(failed, slow, now, random);
  }

  probed(failed: boolean, now: number, random: number): void {
    if (failed) this.open(now, random);
    else if (++this.successes === 3) {
      this.enter("closed");
      this.closedAt = now;
      this.done = [];
    }
  }

  called(failed: boolean, slow: boolean, now: number, random: number): void {
    this.done.push({ at: now, failed, slow });
    if (!this.bad(now)) return;
    if (now - this.closedAt >= 60_000) this.trips = 0;
    this.open(now, random);
  }

  bad(now: number): boolean {
    const recent = this.done.filter(
      ({ at }) => Math.floor(now / 1_000) - Math.floor(at / 1_000) < 10,
    );
    const share = (count: number) => recent.length >= 20 && count / recent.length;
    const lastSix = this.done.slice(-6);
    return (
      (lastSix.length === 6 && lastSix.every(({ failed }) => failed)) ||
      Number(share(recent.filter(({ failed }) => failed).length)) >= 0.5 ||
      Number(share(recent.filter(({ slow }) => slow).length)) >= 0.8
    );
  }
}

/** A permit of the real breaker, and what the naive one knows of it. */
interface Held {
  real: Permit;
  era: number;
  settled: boolean;
}

type Step =
  | { readonly do: "acquire"; readonly timeoutMs: number }
  | Settle
  | { readonly do: "wait"; readonly ms: number };

/** Settles one of the permits handed out: of all, or of those not settled yet. */
interface Settle {
  readonly do: "settle";
  readonly which: number;
  readonly again: boolean;
  readonly outcome: Outcome;
  readonly slow: boolean;
}

const rarely = fc.integer({ min: 0, max: 9 }).map((n) => n === 0);
const settle = fc.record({
  do: fc.constant("settle" as const),
  which: fc.nat(),
  again: rarely,
  outcome: fc.constantFrom<Outcome>("failure", "success", "success", "neutral"),
  slow: fc.boolean(),
});
const acquire = fc.record({
  do: fc.constant("acquire" as const),
  timeoutMs: fc.integer({ min: 1, max: 5_000 }),
});
const wait = fc.record({
  do: fc.constant("wait" as const),
  ms: fc.oneof(fc.nat(400), fc.nat(6_000), fc.nat(70_000)),
});
const outage = settle.map((one) => ({ ...one, again: false, outcome: "failure" as const }));
const slowness = settle.map((one) => ({ ...one, again: false, slow: true }));
/** Phases with a character of their own: chance alone rarely trips a breaker in every way. */
const phase = fc
  .constantFrom(settle, outage, slowness)
  .chain((kind) =>
    fc.array(fc.oneof(acquire, acquire, kind, kind), { maxLength: 60, size: "max" }),
  );
const history: fc.Arbitrary<Step[]> = fc
  .array(fc.tuple(phase, wait), { maxLength: 12, size: "max" })
  .map((phases) => phases.flatMap(([steps, pause]) => [...steps, pause]));

/** Both breakers on one clock, and every permit they handed out. */
class Pair {
  readonly clock = { ms: 12_345 };
  readonly held: Held[] = [];
  readonly naive = new NaiveBreaker(this.clock.ms);
  readonly real: Breaker;
  readonly random: () => number;

  constructor(random: () => number) {
    this.random = random;
    this.real = new Breaker({ now: () => this.clock.ms, random });
  }

  play(step: Step): void {
    if (step.do === "wait") this.clock.ms += step.ms;
    this.naive.passTime(this.clock.ms, this.random());
    if (step.do === "acquire") this.acquire(step.timeoutMs);
    if (step.do === "settle") this.settle(step);
    this.compare();
  }

  acquire(timeoutMs: number): void {
    const permit = this.real.acquire(timeoutMs);
    assert.equal(permit !== undefined, this.naive.grants());
    if (!permit) return;
    const one = { real: permit, era: this.naive.era, settled: false };
    this.held.push(one);
    const expiry = this.clock.ms + timeoutMs + 250;
    if (this.naive.state === "half-open") this.naive.leases.set(one, expiry);
  }

  settle({ which, again, outcome, slow }: Settle): void {
    const candidates = again ? this.held : this.held.filter(({ settled }) => !settled);
    const one = candidates[which % candidates.length];
    if (one === undefined) return;
    const late = one.settled || one.era !== this.naive.era;
    const before = this.real.snapshot();
    one.real.settle(outcome, slow);
    if (late) assert.deepEqual(this.real.snapshot(), before, "a late word changes nothing");
    if (!one.settled) this.naive.settle(one, outcome, slow, this.clock.ms, this.random());
    one.settled = true;
  }

  compare(): void {
    const { naive, held } = this;
    const seen = this.real.snapshot();
    assert.equal(seen.state, naive.state);
    assert.equal(seen.leases, naive.state === "half-open" ? naive.leases.size : 0);
    assert.ok(seen.leases <= 3, "never more than three leases");
    if (seen.state === "open")
      assert.equal(seen.openForMs, Math.max(0, naive.openUntil - this.clock.ms));
    for (const { real, era } of held.slice(-5)) assert.equal(real.current, era === naive.era);
  }
}

/** Whatever happened, a healthy upstream is called again, even if every lease out there is lost. */
function leavesOpenAgain(breaker: Breaker, clock: { ms: number }): void {
  for (let round = 0; round < 10 && breaker.snapshot().state !== "closed"; round++) {
    clock.ms += 60_000;
    breaker.snapshot();
    for (let i = 0; i < 3; i++) breaker.acquire(1_000)?.settle("success");
  }
  assert.equal(breaker.snapshot().state, "closed");
}

// A failure prints the seed and the shortest history; to play it again, pass { seed, path } here.
test("the breaker does what the naive one does, and always leaves open again", () => {
  const chances = fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), {
    minLength: 1,
    maxLength: 5,
  });
  const property = fc.property(history, chances, (steps, random) => {
    let turn = 0;
    const pair = new Pair(() => random[turn % random.length] ?? 0);
    for (const step of steps) {
      turn++;
      pair.play(step);
    }
    leavesOpenAgain(pair.real, pair.clock);
  });
  fc.assert(property, { numRuns: 200 });
});
