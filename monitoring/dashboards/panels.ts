import type { PanelDescription, RowDescription } from "./dashboard.ts";

/** A stream lasts as long as its client wants: no answer time. As in rules/objectives.yml. */
export const noStreams = 'route!~".*/(watch|WatchOrders)"';

/** `quantile` of a histogram's seconds, for each combination of `labels`. */
export function quantileOf(quantile: number, histogram: string, labels = "", filter = ""): string {
  const by = ["le", labels].filter(Boolean).join(", ");
  const rate = `rate(${histogram}_bucket{${filter}}[$__rate_interval])`;
  return `histogram_quantile(${quantile}, sum by (${by}) (${rate}))`;
}

/** What PromQL gives for no errors at all is nothing; here it is 0. */
export const orZero = (query: string) => `(${query} or vector(0))`;

/** Calls to other services, of one process or of all. */
export function callsToOthers(filter: string): PanelDescription[] {
  const rate = (metric: string) =>
    `sum by (service, upstream) (rate(${metric}{${filter}}[$__rate_interval]))`;
  return [
    {
      title: "Breakers",
      meaning: "Open: calls are answered 503 at once, without asking the service.",
      kind: "states",
      unit: "none",
      queries: {
        "{{service}} → {{upstream}}": `max by (service, upstream) (breaker_state{${filter}})`,
      },
      limits: { warn: 1, bad: 2 },
      names: { 0: "closed", 1: "half-open", 2: "open" },
    },
    {
      title: "Calls not made, and made again",
      unit: "ops",
      queries: {
        "{{service}} → {{upstream}}, breaker": rate("breaker_rejected_total"),
        "{{service}} → {{upstream}}, no turn": rate("upstream_overloaded_total"),
        "{{service}} → {{upstream}}, retried": rate("upstream_retries_total"),
      },
    },
    {
      title: "Calls under way",
      meaning: "The limit adapts itself to the latency of the service.",
      unit: "none",
      queries: {
        "{{service}} → {{upstream}}": `sum by (service, upstream) (upstream_calls_under_way{${filter}})`,
        "{{service}} → {{upstream}}, waiting": `sum by (service, upstream) (upstream_calls_waiting{${filter}})`,
        "{{service}} → {{upstream}}, limit": `sum by (service, upstream) (upstream_concurrency_limit{${filter}})`,
      },
    },
    {
      title: "Retry budget",
      meaning: "Nothing is tried again at 50 tokens or fewer.",
      unit: "none",
      queries: {
        "{{service}} → {{upstream}}": `min by (service, upstream) (upstream_retry_tokens{${filter}})`,
      },
      limits: { warn: 80, bad: 50, below: true },
    },
  ];
}

/** What the gateway turns away while its event loop cannot keep up. */
export const shedRequests: PanelDescription = {
  title: "Requests without a turn (503)",
  meaning:
    "The event loop had no time for them. Lists go first, what the schema calls critical never.",
  unit: "reqps",
  queries: {
    "{{criticality}}": "sum by (criticality) (rate(http_requests_shed_total[$__rate_interval]))",
  },
  limits: { warn: 0.1, bad: 10 },
};

/** Those who watch orders. */
export const watching: RowDescription = {
  question: "Do those who watch orders see them change?",
  panels: [
    {
      title: "Streams",
      unit: "none",
      queries: { "{{instance}}": "order_watchers" },
    },
    {
      title: "Behind by",
      meaning: "Age of the oldest change that is not told yet.",
      unit: "s",
      queries: { "{{instance}}": "order_watch_lag_seconds" },
      limits: { warn: 2, bad: 10 },
    },
    {
      title: "Ended, and begun anew",
      meaning:
        "Ended: the reader was too slow, or its token is no longer good. Begun anew: it could not resume.",
      unit: "ops",
      queries: {
        "ended: {{reason}}": "sum by (reason) (rate(order_watch_cuts_total[$__rate_interval]))",
        "begun anew": "sum(rate(order_watch_resets_total[$__rate_interval]))",
      },
    },
  ],
};

/** CPU, memory and the event loop. */
export function resources(filter: string): PanelDescription[] {
  return [
    {
      title: "CPU",
      meaning: "Cores. compose.yaml gives a service one (SERVICE_CPUS).",
      unit: "none",
      queries: {
        "{{service}} {{instance}}": `rate(process_cpu_seconds_total{${filter}}[$__rate_interval])`,
      },
      limits: { warn: 0.7, bad: 0.9 },
    },
    {
      title: "Memory",
      meaning: "compose.yaml gives a service 512 MiB.",
      unit: "bytes",
      queries: {
        "{{service}} {{instance}}": `process_resident_memory_bytes{${filter}}`,
        "{{service}} {{instance}}, heap in use": `nodejs_heap_size_used_bytes{${filter}}`,
      },
      limits: { warn: 0.7 * 512 * 2 ** 20, bad: 0.85 * 512 * 2 ** 20 },
    },
    {
      title: "Event loop: longest turns",
      meaning: "99 % of the turns are shorter.",
      unit: "s",
      queries: { "{{service}} {{instance}}": `nodejs_eventloop_lag_p99_seconds{${filter}}` },
      limits: { warn: 0.1, bad: 0.25 },
    },
    {
      title: "Garbage collection",
      meaning: "Share of the time.",
      unit: "percentunit",
      queries: {
        "{{service}} {{instance}}": `sum by (service, instance) (rate(nodejs_gc_duration_seconds_sum{${filter}}[$__rate_interval]))`,
      },
      limits: { warn: 0.05, bad: 0.1 },
    },
  ];
}

export const accounts: RowDescription = {
  question: "Do accounts behave as usual?",
  panels: [
    {
      title: "Events",
      meaning: "Of the audit log. `session_key_stolen` should never happen.",
      unit: "ops",
      queries: { "{{event}}": "sum by (event) (rate(auth_events_total[$__rate_interval]))" },
    },
    {
      title: "Passwords being hashed",
      meaning: "Beyond 64 in the queue, logins are answered 503.",
      unit: "none",
      queries: { "{{state}}, {{instance}}": "password_hashes" },
      limits: { warn: 16, bad: 64 },
    },
    {
      title: "Decided, not yet carried out",
      meaning: "Orders of deleted users; revocations that Redis has not been told.",
      unit: "none",
      queries: { "{{outbox}}": "max by (outbox) (outbox_rows)" },
      limits: { warn: 10, bad: 100 },
    },
  ],
};
