import { Counter, Gauge, type Registry } from "@prometheus-io/client";
import type { Transition } from "./breaker.ts";
import type { BreakerReason, BreakerState } from "./breaker-circuit.ts";

/** What `breaker_state` shows. */
export const stateNumbers: Record<BreakerState, number> = { closed: 0, "half-open": 1, open: 2 };

/** What an upstream has at the moment, by metric. */
export interface UpstreamReadings {
  /** `breaker_state`. */
  breakerState: () => number;
  /** `upstream_concurrency_limit`. */
  limit: () => number;
  /** `upstream_calls_under_way`. */
  callsUnderWay: () => number;
  /** `upstream_calls_waiting`. */
  callsWaiting: () => number;
  /** `upstream_streams_open`. */
  streamsOpen: () => number;
  /** `upstream_retry_tokens`. */
  retryTokens: () => number;
}

/** What a call came to, for `breaker_outcomes_total`: an outcome, or a success that took long. */
export type OutcomeClass = "success" | "slow" | "failure" | "neutral";

/** Counts what happens to the calls to an upstream. */
export interface UpstreamMetrics {
  transition(transition: Transition): void;
  outcome(outcomeClass: OutcomeClass): void;
  rejected(): void;
  overloaded(): void;
  retried(): void;
}

const gauges: Record<keyof UpstreamReadings, readonly [name: string, help: string]> = {
  breakerState: ["breaker_state", "State of the breaker: 0 closed, 1 half-open, 2 open"],
  limit: ["upstream_concurrency_limit", "Calls that may be under way at once; adapts itself"],
  callsUnderWay: ["upstream_calls_under_way", "Calls that have their turn"],
  callsWaiting: ["upstream_calls_waiting", "Calls that wait for their turn"],
  streamsOpen: ["upstream_streams_open", "Streams that are open"],
  retryTokens: ["upstream_retry_tokens", "What is left of the retry budget; none at 50 or fewer"],
};

/** Each is counted from 0 on, so that a rate sees the first one too. */
const possibleTransitions: readonly (readonly [BreakerState, BreakerState, BreakerReason])[] = [
  ["closed", "open", "failures-in-a-row"],
  ["closed", "open", "failure-ratio"],
  ["closed", "open", "slow-ratio"],
  ["open", "half-open", "open-time-over"],
  ["half-open", "open", "probe-failed"],
  ["half-open", "open", "probe-lost"],
  ["half-open", "closed", "probes-succeeded"],
];

/**
 * Registers an upstream's metrics under the label `upstream`. Several upstreams may share a registry,
 * each with a name of its own.
 */
export function registerUpstreamMetrics(
  registry: Registry,
  upstream: string,
  readings: UpstreamReadings,
): UpstreamMetrics {
  for (const key of Object.keys(gauges) as (keyof UpstreamReadings)[])
    ReadGauge.of(registry, ...gauges[key]).readings.set(upstream, readings[key]);
  const count = (name: string, help: string, ...labels: string[]) =>
    counterOf(registry, name, help, ["upstream", ...labels]);
  const transitions = count(
    "breaker_transitions_total",
    "Changes of state",
    "from",
    "to",
    "reason",
  );
  for (const [from, to, reason] of possibleTransitions)
    transitions.inc({ upstream, from, to, reason }, 0);
  const outcomes = count("breaker_outcomes_total", "Calls that ended, streams that began", "class");
  const rejected = count("breaker_rejected_total", "Calls that the breaker turned away");
  const overloaded = count("upstream_overloaded_total", "Calls that got no turn");
  const retries = count("upstream_retries_total", "Attempts that followed a failed one");
  for (const counter of [rejected, overloaded, retries]) counter.inc({ upstream }, 0);
  for (const each of ["success", "slow", "failure", "neutral"])
    outcomes.inc({ upstream, class: each }, 0);
  return {
    transition: (transition) => transitions.inc({ upstream, ...transition }),
    outcome: (outcomeClass) => outcomes.inc({ upstream, class: outcomeClass }),
    rejected: () => rejected.inc({ upstream }),
    overloaded: () => overloaded.inc({ upstream }),
    retried: () => retries.inc({ upstream }),
  };
}

/** A gauge that asks each upstream when it is read. */
class ReadGauge extends Gauge<"upstream"> {
  readonly readings = new Map<string, () => number>();

  constructor(registry: Registry, name: string, help: string) {
    const collect = () => {
      for (const [upstream, read] of this.readings) this.set({ upstream }, read());
    };
    super({ name, help, labelNames: ["upstream"], registers: [registry], collect });
  }

  static of(registry: Registry, name: string, help: string): ReadGauge {
    const known = registry.getSingleMetric(name);
    return known instanceof ReadGauge ? known : new ReadGauge(registry, name, help);
  }
}

function counterOf(
  registry: Registry,
  name: string,
  help: string,
  labelNames: string[],
): Counter<string> {
  const known = registry.getSingleMetric<string>(name);
  if (known instanceof Counter) return known;
  return new Counter({ name, help, labelNames, registers: [registry] });
}
