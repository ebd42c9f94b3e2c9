import type {
  GatewayProcess,
  RateLimitHealth,
  SessionHealth,
  ThrottleHealth,
  Traffic,
} from "@3l1/gen/platform/v1/platform_health_pb.ts";
import { Bars, Lines, Meter } from "./charts.tsx";
import { formatMs, formatRate, formatShare, lastOf, sumOf } from "./numbers.ts";

/** Beyond this, what was revoked may still be let in to read. */
const longestSilenceSeconds = 5;

/** All requests together: how many, how many went wrong, how long they took. */
export function TrafficPanel({
  traffic,
  sampleSeconds,
}: {
  traffic: Traffic;
  sampleSeconds: number;
}) {
  const { requests, clientErrors, serverErrors, p50Ms, p99Ms } = traffic;
  return (
    <section class="panel">
      <header>
        <h2>Requests</h2>
        <span class="figure">{formatRate(requests, sampleSeconds)}</span>
      </header>
      <Bars
        label={`${sumOf(requests)} requests, ${sumOf(clientErrors)} answered 4xx, ${sumOf(serverErrors)} answered 5xx`}
        series={trafficSeries(traffic)}
      />
      <p class="legend">
        <span class="plain">{sumOf(requests)} in all</span>
        <span class="warn">{sumOf(clientErrors)} of them 4xx</span>
        <span class="bad">{sumOf(serverErrors)} of them 5xx</span>
      </p>
      <Lines
        label={`Latency: half took at most ${formatMs(traffic.overallP50Ms)}, 99 % at most ${formatMs(traffic.overallP99Ms)}`}
        series={[
          { values: p99Ms, tone: "warn" },
          { values: p50Ms, tone: "plain" },
        ]}
      />
      <p class="legend">
        <span class="plain">half took at most {formatMs(traffic.overallP50Ms)}</span>
        <span class="warn">99 % at most {formatMs(traffic.overallP99Ms)}</span>
      </p>
    </section>
  );
}

/** Requests as bars: those that went well, then 4xx, then 5xx. */
export function trafficSeries({ requests, clientErrors, serverErrors }: Traffic) {
  const good = requests.map((count, index) =>
    Math.max(0, count - (clientErrors[index] ?? 0) - (serverErrors[index] ?? 0)),
  );
  return [
    { values: good, tone: "plain" },
    { values: clientErrors, tone: "warn" },
    { values: serverErrors, tone: "bad" },
  ] as const;
}

export interface LimitsProps {
  readonly throttle: ThrottleHealth;
  readonly limits: readonly RateLimitHealth[];
  readonly fallbacks: readonly number[];
}

/** How full the gateway is, and whom it turns away. */
export function LimitsPanel({ throttle, limits, fallbacks }: LimitsProps) {
  const { requestsUnderWay, maxRequests, streamsOpen, maxStreams, turnedAway, underWay } = throttle;
  return (
    <section class="panel">
      <header>
        <h2>Limits</h2>
        <span class="figure">{sumOf(turnedAway)} turned away</span>
      </header>
      <Lines
        label={`Requests under way: ${requestsUnderWay} of ${maxRequests}`}
        series={[{ values: underWay, tone: "plain" }]}
      />
      <Meter label="Requests" value={requestsUnderWay} max={maxRequests} />
      <Meter label="Streams" value={streamsOpen} max={maxStreams} />
      <h3>Per client and minute</h3>
      {limits.length === 0 && <p class="hint">No rate limit is set.</p>}
      {limits.map(({ name, perMinute, allowed, refused }) => (
        <div key={name} class="limit">
          <span>
            {name} <small>{perMinute}</small>
          </span>
          <Bars
            label={`${name}: ${sumOf(allowed)} passed, ${sumOf(refused)} refused`}
            series={[
              { values: allowed, tone: "faint" },
              { values: refused, tone: "bad" },
            ]}
          />
          <span class="number">{sumOf(refused)} refused</span>
        </div>
      ))}
      {sumOf(fallbacks) > 0 && (
        <p class="hint">
          Redis did not answer in time: this gateway counted {sumOf(fallbacks)} requests alone.
        </p>
      )}
    </section>
  );
}

/** Tokens that were reissued, and those that were revoked. */
export function SessionsPanel({ sessions }: { readonly sessions: SessionHealth }) {
  const { reissued, reissueFailures, revocationsInForce, revocationsSilentSeconds } = sessions;
  const silent = revocationsSilentSeconds ?? Number.POSITIVE_INFINITY;
  return (
    <section class="panel">
      <header>
        <h2>Sessions</h2>
        <span class="figure">{sumOf(reissued)} reissued</span>
      </header>
      <Bars
        label={`${sumOf(reissued)} tokens reissued, ${sumOf(reissueFailures)} attempts failed`}
        series={[
          { values: reissued, tone: "plain" },
          { values: reissueFailures, tone: "warn" },
        ]}
      />
      <p class="legend">
        <span class="plain">{sumOf(reissued)} tokens reissued</span>
        <span class="warn">{sumOf(reissueFailures)} refused or failed</span>
      </p>
      <p class="hint">
        {revocationsInForce} revocations in force;{" "}
        {silent > longestSilenceSeconds
          ? "nothing is heard of new ones, so reads alone go on"
          : "new ones arrive"}
      </p>
    </section>
  );
}

/** The process itself. */
export function GatewayPanel({ gateway }: { readonly gateway: GatewayProcess }) {
  const { eventLoopUtilization, residentMebibytes } = gateway;
  return (
    <section class="panel">
      <header>
        <h2>Gateway</h2>
        <span class="figure">{gateway.version}</span>
      </header>
      <Lines
        label={`Event loop: ${formatShare(lastOf(eventLoopUtilization))} busy`}
        series={[{ values: eventLoopUtilization, tone: "plain" }]}
        max={1}
      />
      <p class="legend">
        <span class="plain">event loop {formatShare(lastOf(eventLoopUtilization))} busy</span>
      </p>
      <Lines
        label={`Memory: ${Math.round(lastOf(residentMebibytes))} MiB`}
        series={[{ values: residentMebibytes, tone: "faint" }]}
      />
      <p class="legend">
        <span class="faint">memory {Math.round(lastOf(residentMebibytes))} MiB</span>
      </p>
    </section>
  );
}
