import type { Transport } from "@connectrpc/connect";
import type { Tracing } from "../tracing/tracing.ts";
import type { AdaptiveLimit } from "./adaptive-limit.ts";
import type { Breaker, Permit } from "./breaker.ts";
import type { Outcome } from "./breaker-circuit.ts";
import type { CallQueue } from "./call-queue.ts";
import type { RetryBudget } from "./retry-budget.ts";
import type { UpstreamMetrics } from "./upstream-metrics.ts";

/** What the calls to an upstream share. */
export interface UpstreamParts {
  /** The upstream's name, for errors. */
  readonly name: string;
  /** Longest time a unary call may take, and a stream may take to start, in milliseconds. */
  readonly timeoutMs: number;
  /** gRPC, without any of this. */
  readonly wire: Transport;
  readonly breaker: Breaker;
  readonly limit: AdaptiveLimit;
  readonly queue: CallQueue;
  readonly budget: RetryBudget;
  readonly metrics: UpstreamMetrics;
  /** Connections whose loss the breaker has been told of. */
  readonly lostConnections: WeakSet<object>;
  /** Undefined: off. */
  readonly tracing: Tracing | undefined;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** Tells the breaker and the metrics how a call ended. */
export function settle(
  { metrics }: UpstreamParts,
  permit: Permit,
  outcome: Outcome,
  slow: boolean,
): void {
  if (permit.settle(outcome, slow))
    metrics.outcome(outcome === "success" && slow ? "slow" : outcome);
}
