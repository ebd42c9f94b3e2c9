/** What a breaker does with calls: lets them pass, turns them away, or lets a few pass to see. */
export type BreakerState = "closed" | "open" | "half-open";

/** Why a breaker changed its state. */
export type TransitionReason =
  | "failure-ratio"
  | "slow-ratio"
  | "consecutive-failures"
  | "open-time-over"
  | "probe-failed"
  | "probes-succeeded";

/** One change of state. */
export interface Transition {
  /** The state before. */
  readonly from: BreakerState;
  /** The state after. */
  readonly to: BreakerState;
  /** What made it change. */
  readonly reason: TransitionReason;
  /** When, on the monotonic clock of the breaker, in milliseconds. */
  readonly atMs: number;
}

/** A breaker as an operator sees it. Times are relative to now, since its clock has no date. */
export interface BreakerSnapshot {
  /** The state it is in. */
  readonly state: BreakerState;
  /** What happened in the last 10 s. */
  readonly window: { readonly calls: number; readonly failures: number; readonly slow: number };
  /** Failures since the last success. */
  readonly consecutiveFailures: number;
  /** How long it stays open yet, in milliseconds. 0 unless open. */
  readonly opensForMs: number;
  /** Calls under way to see whether the upstream is back. 0 unless half-open. */
  readonly leases: number;
  /** The last changes of state, the latest first, at most 20. */
  readonly transitions: readonly (Omit<Transition, "atMs"> & { readonly agoMs: number })[];
}
