import {
  admits,
  type BreakerEvent,
  type BreakerReason,
  type BreakerState,
  type Circuit,
  closedCircuit,
  type Outcome,
  reduce,
} from "./breaker-circuit.ts";
import { type Counts, emptyWindow, totals } from "./breaker-window.ts";
import { breakerRules } from "./resilience-constants.ts";

/** One change of state. */
export interface Transition {
  /** The state before. */
  readonly from: BreakerState;
  /** The state after. */
  readonly to: BreakerState;
  /** What made it change. */
  readonly reason: BreakerReason;
}

/** The right to make one call. */
export interface Permit {
  /** False once the breaker has changed its state: what comes of the call no longer counts. */
  readonly current: boolean;
  /**
   * Says how the call ended, once and for all: later words change nothing.
   * @param slow whether the upstream took suspiciously long. Default: false.
   * @returns true if these are the first words.
   */
  settle(outcome: Outcome, slow?: boolean): boolean;
}

/** A breaker as an operator sees it. Times are relative to now: its clock knows no date. */
export interface BreakerSnapshot {
  /** The state it is in. */
  readonly state: BreakerState;
  /** Why it is in it. */
  readonly reason: BreakerReason;
  /** Calls that ended in the last 10 s. All zero unless closed. */
  readonly window: Counts;
  /** Failures since the last success. 0 unless closed. */
  readonly failuresInARow: number;
  /** How long it stays open yet, in milliseconds. 0 unless open. */
  readonly openForMs: number;
  /** Calls under way to see whether the upstream is back. 0 unless half-open. */
  readonly leases: number;
  /** The last changes of state, the latest first, at most 20, and how long ago they were. */
  readonly transitions: readonly (Transition & { readonly agoMs: number })[];
}

/** What a {@link Breaker} needs from outside. */
export interface BreakerOptions {
  /** A monotonic clock in milliseconds. */
  now: () => number;
  /** A number in [0, 1), like `Math.random`. */
  random: () => number;
  /** Told about every change of state, after it. Default: nobody is told. */
  onTransition?: (transition: Transition) => void;
}

/**
 * A circuit breaker: the pure {@link reduce} with a clock and a memory. After Nygard, Release It!,
 * chapter 5; the two steps of a call and the generation are an idea of sony/gobreaker.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #transitions: (Transition & { atMs: number })[] = [];
  #circuit: Circuit;
  #lastLeaseId = 0;

  constructor(options: BreakerOptions) {
    this.#options = options;
    this.#circuit = closedCircuit(options.now());
  }

  /**
   * Asks for a call. Who gets a permit must settle it.
   * @param timeoutMs the call's deadline from now; while half-open, a permit that is not settled 250 ms
   *   after it counts as failed.
   * @returns undefined if the call must not be made.
   */
  acquire(timeoutMs: number): Permit | undefined {
    const circuit = this.#apply({ type: "tick" });
    if (!admits(circuit)) return undefined;
    const id = ++this.#lastLeaseId;
    const expiresAtMs = this.#options.now() + timeoutMs + breakerRules.leaseGraceMs;
    this.#apply({ type: "acquire", lease: { id, expiresAtMs } });
    return this.#permit(circuit.generation, id);
  }

  /** The state it is in. */
  get state(): BreakerState {
    return this.#apply({ type: "tick" }).state;
  }

  /** How long the breaker stays open yet, in milliseconds. 0 unless open. */
  get openForMs(): number {
    const circuit = this.#circuit;
    return circuit.state === "open" ? Math.max(0, circuit.untilMs - this.#options.now()) : 0;
  }

  /** The breaker as it is now. */
  snapshot(): BreakerSnapshot {
    const circuit = this.#apply({ type: "tick" });
    const nowMs = this.#options.now();
    return {
      state: circuit.state,
      reason: circuit.reason,
      window: totals(circuit.state === "closed" ? circuit.window : emptyWindow, nowMs),
      failuresInARow: circuit.state === "closed" ? circuit.failuresInARow : 0,
      openForMs: this.openForMs,
      leases: circuit.state === "half-open" ? circuit.leases.length : 0,
      transitions: this.#transitions.map(({ atMs, ...t }) => ({ ...t, agoMs: nowMs - atMs })),
    };
  }

  #permit(generation: number, leaseId: number): Permit {
    const isCurrent = () => this.#apply({ type: "tick" }).generation === generation;
    let settled = false;
    return {
      get current() {
        return isCurrent();
      },
      settle: (outcome, slow = false) => {
        if (settled) return false;
        settled = true;
        this.#apply({ type: "settle", generation, leaseId, outcome, slow });
        return true;
      },
    };
  }

  #apply(event: BreakerEvent): Circuit {
    const atMs = this.#options.now();
    const before = this.#circuit;
    const after = reduce(before, event, { atMs, random: this.#options.random() });
    this.#circuit = after;
    if (after.generation !== before.generation) this.#tell(before.state, after, atMs);
    return after;
  }

  #tell(from: BreakerState, { state: to, reason }: Circuit, atMs: number): void {
    const transition = { from, to, reason };
    this.#transitions.unshift({ ...transition, atMs });
    this.#transitions.length = Math.min(this.#transitions.length, breakerRules.keptTransitions);
    this.#options.onTransition?.(transition);
  }
}
