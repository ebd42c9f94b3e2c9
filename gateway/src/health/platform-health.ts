import { hostname } from "node:os";
import type {
  GatewayProcessSchema,
  RateLimitHealthSchema,
  SessionHealthSchema,
  ThrottleHealthSchema,
} from "@3l1/gen/platform/v1/platform_health_pb.ts";
import type { GetPlatformHealthResponseSchema } from "@3l1/gen/platform/v1/platform_service_pb.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import type { Upstream } from "@3l1/kit/resilience/upstream.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import manifest from "../../package.json" with { type: "json" };
import type { GatewayConfig } from "../config.ts";
import { healthSampleMs, maxConcurrentStreams } from "../limits.ts";
import type { Sample } from "./samples.ts";
import { type Series, seriesOf } from "./series.ts";
import { routesOf, totalOf } from "./traffic.ts";
import { upstreamHealthOf } from "./upstream-health.ts";

/** What the health is read from, beside the samples. */
export interface HealthSources {
  readonly config: GatewayConfig;
  readonly upstreams: readonly Upstream[];
  readonly revocations: Pick<Revocations, "inForce" | "silentMs">;
}

/** @param nowMs milliseconds since 1970 */
export function platformHealthOf(
  { config, upstreams, revocations }: HealthSources,
  samples: readonly Sample[],
  nowMs: number,
): MessageInitShape<typeof GetPlatformHealthResponseSchema> {
  const series = seriesOf(samples);
  return {
    sampledAt: timestampFromMs(samples.at(-1)?.atMs ?? nowMs),
    sampleSeconds: healthSampleMs / 1000,
    gateway: gatewayOf(samples.slice(1), nowMs),
    upstreams: upstreams.map((upstream) => upstreamHealthOf(upstream, series, nowMs)),
    total: totalOf(samples),
    routes: routesOf(samples),
    rateLimits: rateLimitsOf(config, series),
    rateLimitFallbacks: series.rises(["rate_limit_fallbacks_total"]),
    throttle: throttleOf(config, series),
    sessions: sessionsOf(revocations, series),
  };
}

function gatewayOf(
  samples: readonly Sample[],
  nowMs: number,
): MessageInitShape<typeof GatewayProcessSchema> {
  return {
    name: `${hostname()}:${process.pid}`,
    version: manifest.version,
    startedAt: timestampFromMs(Math.round(nowMs - process.uptime() * 1000)),
    eventLoopUtilization: samples.map((sample) => rounded(sample.eventLoopUtilization, 4)),
    residentMebibytes: samples.map((sample) => rounded(sample.residentBytes / 1024 ** 2, 1)),
  };
}

function rateLimitsOf(
  config: GatewayConfig,
  series: Series,
): MessageInitShape<typeof RateLimitHealthSchema>[] {
  const limits = [
    { name: "ip", perMinute: config.RATE_LIMIT_IP_PER_MINUTE },
    { name: "user", perMinute: config.RATE_LIMIT_USER_PER_MINUTE },
    { name: "login", perMinute: config.RATE_LIMIT_LOGIN_PER_MINUTE },
  ];
  const verdicts = (limit: string, verdict: string) =>
    series.rises(["rate_limit_verdicts_total", { limit, verdict }]);
  return limits
    .filter(({ perMinute }) => perMinute > 0)
    .map((limit) => ({
      ...limit,
      allowed: verdicts(limit.name, "allowed"),
      refused: verdicts(limit.name, "refused"),
    }));
}

function throttleOf(
  config: GatewayConfig,
  series: Series,
): MessageInitShape<typeof ThrottleHealthSchema> {
  const name = "http_requests_under_way";
  return {
    requestsUnderWay: series.last(name, { kind: "request" }),
    maxRequests: config.MAX_CONCURRENT_REQUESTS,
    streamsOpen: series.last(name, { kind: "stream" }),
    maxStreams: maxConcurrentStreams,
    underWay: series.levels(name, { kind: "request" }),
    turnedAway: series.rises(["http_requests_turned_away_total"]),
  };
}

function sessionsOf(
  revocations: HealthSources["revocations"],
  series: Series,
): MessageInitShape<typeof SessionHealthSchema> {
  const renewals = (outcome: string) => ["session_renewals_total", { outcome }] as const;
  const silentMs = revocations.silentMs();
  return {
    reissued: series.rises(renewals("renewed")),
    reissueFailures: series.rises(renewals("refused"), renewals("failed")),
    revocationsInForce: revocations.inForce(),
    ...(Number.isFinite(silentMs) && { revocationsSilentSeconds: rounded(silentMs / 1000, 3) }),
  };
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
