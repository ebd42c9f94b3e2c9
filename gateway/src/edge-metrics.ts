import { Criticality, CriticalitySchema } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { Counter, Gauge, type Registry } from "@prometheus-io/client";

/** What became of an attempt to get a new access token for a session key. */
export type RenewalOutcome = "renewed" | "refused" | "failed";

/** Counts what the steps of a request's way decide. */
export interface EdgeMetrics {
  /** `rate_limit_fallbacks_total`: a verdict that this process gave alone, since Redis was away. */
  limitFallback(): void;
  /** `rate_limit_verdicts_total`: what a limit said. */
  limitVerdict(limit: string, isAllowed: boolean): void;
  /** `session_renewals_total`: an access token was reissued, or not. */
  renewalEnded(outcome: RenewalOutcome): void;
  /** `http_streams_cut_total`: a client did not read its stream. */
  streamCut(): void;
  /** `http_requests_turned_away_total`: the gateway was full. */
  turnedAway(): void;
  /** `http_requests_shed_total`: the event loop had no time for it. */
  shed(criticality: Criticality): void;
  /** Lets `http_requests_under_way` show what a function reads. */
  showUnderWay(read: () => { readonly requests: number; readonly streams: number }): void;
}

/** Registers the metrics of the edge, all counters at 0. */
export function registerEdgeMetrics(registry: Registry): EdgeMetrics {
  const count = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name, help, labelNames, registers: [registry] });
  const fallbacks = count(
    "rate_limit_fallbacks_total",
    "Verdicts of the rate limits that this process gave alone, since Redis was away",
  );
  const verdicts = count("rate_limit_verdicts_total", "What the rate limits said", [
    "limit",
    "verdict",
  ]);
  const renewals = count("session_renewals_total", "Attempts to reissue an access token", [
    "outcome",
  ]);
  const streamsCut = count(
    "http_streams_cut_total",
    "Streams that were cut because their client did not read",
  );
  const turnedAway = count(
    "http_requests_turned_away_total",
    "Requests turned away because as many as may be were under way",
  );
  const shed = count("http_requests_shed_total", "Requests turned away for want of CPU time", [
    "criticality",
  ]);
  for (const each of [Criticality.DEFAULT, Criticality.SHEDDABLE])
    shed.inc({ criticality: nameOf(each) }, 0);
  for (const limit of ["ip", "user", "login"])
    for (const verdict of ["allowed", "refused"]) verdicts.inc({ limit, verdict }, 0);
  for (const outcome of ["renewed", "refused", "failed"]) renewals.inc({ outcome }, 0);
  return {
    limitFallback: () => fallbacks.inc(),
    limitVerdict: (limit, isAllowed) =>
      verdicts.inc({ limit, verdict: isAllowed ? "allowed" : "refused" }),
    renewalEnded: (outcome) => renewals.inc({ outcome }),
    streamCut: () => streamsCut.inc(),
    turnedAway: () => turnedAway.inc(),
    shed: (criticality) => shed.inc({ criticality: nameOf(criticality) }),
    showUnderWay: (read) => showUnderWay(registry, read),
  };
}

/** What says nothing is taken as default. */
function nameOf(criticality: Criticality): string {
  const known = criticality === Criticality.UNSPECIFIED ? Criticality.DEFAULT : criticality;
  return CriticalitySchema.value[known]?.localName.toLowerCase() ?? "default";
}

function showUnderWay(
  registry: Registry,
  read: () => { readonly requests: number; readonly streams: number },
): void {
  new Gauge({
    name: "http_requests_under_way",
    help: "Requests and streams under way",
    labelNames: ["kind"],
    registers: [registry],
    collect() {
      const { requests, streams } = read();
      this.set({ kind: "request" }, requests);
      this.set({ kind: "stream" }, streams);
    },
  });
}
