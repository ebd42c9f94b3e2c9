import { type Counts, emptyWindow, totals, type Window, withCall } from "./breaker-window.ts";
import { breakerRules } from "./resilience-constants.ts";

/** What a breaker does with calls: lets them pass, turns them away, or lets a few pass to see. */
export type BreakerState = "closed" | "open" | "half-open";

/** What a call says about the upstream; `neutral`: nothing at all. */
export type Outcome = "success" | "failure" | "neutral";

/** Why a breaker is in its state. */
export type BreakerReason =
  | "started"
  | "failures-in-a-row"
  | "failure-ratio"
  | "slow-ratio"
  | "open-time-over"
  | "probe-failed"
  | "probe-lost"
  | "probes-succeeded";

/** The right to make one call while half-open. Not settled before it expires, it counts as failed. */
interface Lease {
  readonly id: number;
  readonly expiresAtMs: number;
}

interface Common {
  /** Grows with every change of state: a result that carries another one is too late to count. */
  readonly generation: number;
  readonly reason: BreakerReason;
  /** Open times in a row; the next one lasts 2ⁿ times the first. */
  readonly trips: number;
}

/** Everything a breaker knows. Never changed in place: {@link reduce} makes the next one. */
export type Circuit =
  | (Common & { state: "closed"; sinceMs: number; window: Window; failuresInARow: number })
  | (Common & { state: "open"; untilMs: number })
  | (Common & { state: "half-open"; leases: readonly Lease[]; successes: number });

type Closed = Extract<Circuit, { state: "closed" }>;
type HalfOpen = Extract<Circuit, { state: "half-open" }>;

/** What can happen to a breaker. Any event also lets time pass; `tick` does nothing else. */
export type BreakerEvent =
  | { readonly type: "tick" }
  | { readonly type: "acquire"; readonly lease: Lease }
  | {
      readonly type: "settle";
      readonly generation: number;
      readonly leaseId: number;
      readonly outcome: Outcome;
      readonly slow: boolean;
    };

/** When an event happens, and the chance in it. */
export interface Moment {
  /** On a monotonic clock, in milliseconds. */
  readonly atMs: number;
  /** In [0, 1). Spreads the open times. */
  readonly random: number;
}

/** A breaker that has seen nothing yet. */
export function closedCircuit(atMs: number): Circuit {
  return closed({ generation: 0, reason: "started", trips: 0 }, atMs);
}

/** True if a call may pass; it must then be told by an `acquire`. */
export function admits(circuit: Circuit): boolean {
  if (circuit.state === "half-open")
    return circuit.leases.length + circuit.successes < breakerRules.leases;
  return circuit.state === "closed";
}

/** The circuit after an event. Pure: the same arguments give the same answer. */
export function reduce(before: Circuit, event: BreakerEvent, moment: Moment): Circuit {
  const circuit = afterTime(before, moment);
  if (event.type === "acquire" && circuit.state === "half-open" && admits(circuit))
    return { ...circuit, leases: [...circuit.leases, event.lease] };
  if (event.type !== "settle" || event.generation !== circuit.generation) return circuit;
  if (circuit.state === "closed") return afterCall(circuit, event, moment);
  if (circuit.state === "half-open") return afterProbe(circuit, event, moment);
  return circuit;
}

type Settle = Extract<BreakerEvent, { type: "settle" }>;

function afterTime(circuit: Circuit, moment: Moment): Circuit {
  const { atMs } = moment;
  if (circuit.state === "open" && atMs >= circuit.untilMs)
    return { ...next(circuit, "open-time-over"), state: "half-open", leases: [], successes: 0 };
  if (circuit.state === "half-open" && circuit.leases.some((lease) => atMs >= lease.expiresAtMs))
    return opened(circuit, "probe-lost", circuit.trips, moment);
  return circuit;
}

function afterCall(circuit: Closed, event: Settle, moment: Moment): Circuit {
  if (event.outcome === "neutral") return circuit;
  const failed = event.outcome === "failure";
  const window = withCall(circuit.window, moment.atMs, failed, event.slow);
  const failuresInARow = failed ? circuit.failuresInARow + 1 : 0;
  const reason = reasonToTrip(totals(window, moment.atMs), failuresInARow);
  if (reason === undefined) return { ...circuit, window, failuresInARow };
  const forgotten = moment.atMs - circuit.sinceMs >= breakerRules.forgetAfterMs;
  return opened(circuit, reason, forgotten ? 0 : circuit.trips, moment);
}

function afterProbe(circuit: HalfOpen, event: Settle, moment: Moment): Circuit {
  if (event.outcome === "failure") return opened(circuit, "probe-failed", circuit.trips, moment);
  const leases = circuit.leases.filter((lease) => lease.id !== event.leaseId);
  if (event.outcome === "neutral") return { ...circuit, leases };
  const successes = circuit.successes + 1;
  if (successes < breakerRules.leases) return { ...circuit, leases, successes };
  return closed(next(circuit, "probes-succeeded"), moment.atMs);
}

function reasonToTrip(counts: Counts, failuresInARow: number): BreakerReason | undefined {
  if (failuresInARow >= breakerRules.failuresInARow) return "failures-in-a-row";
  if (counts.calls < breakerRules.minCalls) return undefined;
  if (counts.failures >= counts.calls * breakerRules.failureRatio) return "failure-ratio";
  if (counts.slow >= counts.calls * breakerRules.slowRatio) return "slow-ratio";
  return undefined;
}

function next({ generation, trips }: Circuit, reason: BreakerReason): Common {
  return { generation: generation + 1, reason, trips };
}

function closed(common: Common, sinceMs: number): Circuit {
  return { ...common, state: "closed", sinceMs, window: emptyWindow, failuresInARow: 0 };
}

function opened(from: Circuit, reason: BreakerReason, trips: number, moment: Moment): Circuit {
  const longestMs = Math.min(breakerRules.maxOpenMs, breakerRules.openMs * 2 ** trips);
  const untilMs = moment.atMs + (0.5 + moment.random / 2) * longestMs;
  return { ...next(from, reason), trips: trips + 1, state: "open", untilMs };
}
