import type { Registry } from "@prometheus-io/client";

/** Requests that have ended since the process started. */
export interface RequestTotals {
  readonly requests: number;
  /** Answered with 4xx. */
  readonly clientErrors: number;
  /** Answered with 5xx. */
  readonly serverErrors: number;
  /** How many took at most each of {@link Reading.boundsSeconds}. */
  readonly withinBounds: readonly number[];
}

/** What the metrics said at a time. What happened between two readings is their difference. */
export interface Reading {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  /** By name and labels, as {@link metricKey} writes them. */
  readonly values: ReadonlyMap<string, number>;
  /** By method and route, with a blank between. */
  readonly requests: ReadonlyMap<string, RequestTotals>;
  /** The bounds of the buckets of {@link RequestTotals.withinBounds}, the last one infinite. */
  readonly boundsSeconds: readonly number[];
}

/** The metrics that are read as they are; requests are read from their histogram. */
const names = [
  "breaker_outcomes_total",
  "breaker_rejected_total",
  "upstream_concurrency_limit",
  "upstream_calls_under_way",
  "upstream_calls_waiting",
  "upstream_streams_open",
  "rate_limit_verdicts_total",
  "rate_limit_fallbacks_total",
  "http_requests_under_way",
  "http_requests_turned_away_total",
  "session_renewals_total",
];

type Labels = Readonly<Record<string, string | number | undefined>>;

/** Names one value of a metric. */
export function metricKey(name: string, labels: Labels = {}): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}=${value}`);
  return [name, ...parts.sort()].join(" ");
}

/** Reads the registry. What it does not have counts as nothing. */
export async function readMetrics(registry: Registry, atMs: number): Promise<Reading> {
  const values = new Map<string, number>();
  for (const name of names) {
    const metric = await registry.getSingleMetric(name)?.get();
    for (const { labels, value } of metric?.values ?? [])
      values.set(metricKey(name, labels), value);
  }
  return { atMs, values, ...(await readRequests(registry)) };
}

interface OpenTotals {
  requests: number;
  clientErrors: number;
  serverErrors: number;
  withinBounds: number[];
}

async function readRequests(
  registry: Registry,
): Promise<Pick<Reading, "requests" | "boundsSeconds">> {
  const name = "http_request_duration_seconds";
  const metric = await registry.getSingleMetric(name)?.get();
  const requests = new Map<string, OpenTotals>();
  const bounds: number[] = [];
  for (const { labels, value, metricName } of (metric?.values ?? []) as HistogramValue[]) {
    const { method, route, status_code: status, le } = labels;
    const key = `${method} ${route}`;
    const totals = requests.get(key) ?? emptyTotals();
    requests.set(key, totals);
    if (metricName === `${name}_count`) addAnswers(totals, Number(status), value);
    if (le !== undefined) addWithin(totals.withinBounds, bounds, boundOf(le), value);
  }
  return { requests, boundsSeconds: bounds };
}

interface HistogramValue {
  readonly labels: Labels;
  readonly value: number;
  readonly metricName?: string;
}

function emptyTotals(): OpenTotals {
  return { requests: 0, clientErrors: 0, serverErrors: 0, withinBounds: [] };
}

function addAnswers(totals: OpenTotals, status: number, count: number): void {
  totals.requests += count;
  if (status >= 500) totals.serverErrors += count;
  else if (status >= 400) totals.clientErrors += count;
}

/** All requests have the same bounds, which come in ascending order. */
function addWithin(within: number[], bounds: number[], bound: number, count: number): void {
  let index = bounds.indexOf(bound);
  if (index < 0) index = bounds.push(bound) - 1;
  within[index] = (within[index] ?? 0) + count;
}

function boundOf(le: string | number): number {
  return le === "+Inf" ? Number.POSITIVE_INFINITY : Number(le);
}
