import {
  BreakerState,
  type UpstreamHealthSchema,
} from "@3l1/gen/platform/v1/platform_health_pb.ts";
import type { BreakerSnapshot } from "@3l1/kit/resilience/breaker.ts";
import type { Upstream } from "@3l1/kit/resilience/upstream.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Series } from "./series.ts";

const states: Record<BreakerSnapshot["state"], BreakerState> = {
  closed: BreakerState.CLOSED,
  open: BreakerState.OPEN,
  "half-open": BreakerState.HALF_OPEN,
};

/** @param nowMs milliseconds since 1970 */
export function upstreamHealthOf(
  upstream: Upstream,
  series: Series,
  nowMs: number,
): MessageInitShape<typeof UpstreamHealthSchema> {
  const { name } = upstream;
  const labels = { upstream: name };
  const outcomes = (...classes: string[]) =>
    classes.map((each) => ["breaker_outcomes_total", { ...labels, class: each }] as const);
  return {
    name,
    ...breakerOf(upstream.snapshot(), nowMs),
    addresses: [...upstream.addresses()],
    concurrencyLimit: series.last("upstream_concurrency_limit", labels),
    callsUnderWay: series.last("upstream_calls_under_way", labels),
    callsWaiting: series.last("upstream_calls_waiting", labels),
    streamsOpen: series.last("upstream_streams_open", labels),
    calls: series.rises(...outcomes("success", "slow", "failure", "neutral")),
    failures: series.rises(...outcomes("failure")),
    rejected: series.rises(["breaker_rejected_total", labels]),
  };
}

function breakerOf(
  { state, reason, window, openForMs, transitions }: BreakerSnapshot,
  nowMs: number,
) {
  const [latest] = transitions;
  const fromNow = (ms: number) => timestampFromMs(Math.round(nowMs + ms));
  return {
    state: states[state],
    reason,
    failureShare: window.calls > 0 ? window.failures / window.calls : 0,
    ...(latest && { since: fromNow(-latest.agoMs) }),
    ...(state === "open" && { openUntil: fromNow(openForMs) }),
    transitions: transitions.map(({ from, to, reason, agoMs }) => ({
      changedAt: fromNow(-agoMs),
      fromState: states[from],
      toState: states[to],
      reason,
    })),
  };
}
