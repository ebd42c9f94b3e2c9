import type { RouteTrafficSchema, TrafficSchema } from "@3l1/gen/platform/v1/platform_health_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { maxHealthRoutes } from "../limits.ts";
import { quantileOf } from "./quantile.ts";
import type { Reading, RequestTotals } from "./reading.ts";

type Readings = readonly Pick<Reading, "requests" | "boundsSeconds">[];

/** The routes that were used between the first and the last reading, the busiest first. */
export function routesOf(readings: Readings): MessageInitShape<typeof RouteTrafficSchema>[] {
  const keys = [...(readings.at(-1)?.requests.keys() ?? [])];
  const used = keys.map((key) => ({ key, count: between(readings.at(0), readings.at(-1), key) }));
  return used
    .filter(({ count }) => count.requests > 0)
    .sort((one, other) => other.count.requests - one.count.requests)
    .slice(0, maxHealthRoutes)
    .map(({ key }) => {
      const cut = key.indexOf(" ");
      const traffic = trafficOf(readings, [key]);
      return { method: key.slice(0, cut), route: key.slice(cut + 1), traffic };
    });
}

/** All requests together. */
export function totalOf(readings: Readings): MessageInitShape<typeof TrafficSchema> {
  return trafficOf(readings, [...(readings.at(-1)?.requests.keys() ?? [])]);
}

function trafficOf(
  readings: Readings,
  keys: readonly string[],
): MessageInitShape<typeof TrafficSchema> {
  const bounds = readings.at(-1)?.boundsSeconds ?? [];
  const countOf = (before: Readings[number] | undefined, after: Readings[number] | undefined) =>
    sum(keys.map((key) => between(before, after, key)));
  const counts = readings.slice(1).map((reading, index) => countOf(readings[index], reading));
  const overall = countOf(readings.at(0), readings.at(-1));
  const quantileMs = ({ withinBounds }: RequestTotals, share: number) =>
    Math.round(quantileOf({ bounds, counts: withinBounds }, share) * 1e5) / 100;
  return {
    requests: counts.map(({ requests }) => requests),
    clientErrors: counts.map(({ clientErrors }) => clientErrors),
    serverErrors: counts.map(({ serverErrors }) => serverErrors),
    p50Ms: counts.map((count) => quantileMs(count, 0.5)),
    p99Ms: counts.map((count) => quantileMs(count, 0.99)),
    overallP50Ms: quantileMs(overall, 0.5),
    overallP99Ms: quantileMs(overall, 0.99),
  };
}

const nothing: RequestTotals = { requests: 0, clientErrors: 0, serverErrors: 0, withinBounds: [] };

function between(
  before: Readings[number] | undefined,
  after: Readings[number] | undefined,
  key: string,
): RequestTotals {
  return combine(after?.requests.get(key) ?? nothing, before?.requests.get(key) ?? nothing, -1);
}

function sum(counts: readonly RequestTotals[]): RequestTotals {
  return counts.reduce((one, other) => combine(one, other, 1), nothing);
}

function combine(one: RequestTotals, other: RequestTotals, sign: 1 | -1): RequestTotals {
  const length = Math.max(one.withinBounds.length, other.withinBounds.length);
  return {
    requests: one.requests + sign * other.requests,
    clientErrors: one.clientErrors + sign * other.clientErrors,
    serverErrors: one.serverErrors + sign * other.serverErrors,
    withinBounds: Array.from(
      { length },
      (_, index) => (one.withinBounds[index] ?? 0) + sign * (other.withinBounds[index] ?? 0),
    ),
  };
}
