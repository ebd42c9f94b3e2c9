import type { DashboardDescription, PanelDescription, RowDescription } from "./dashboard.ts";
import {
  accounts,
  callsToOthers,
  noStreams,
  quantileOf,
  resources,
  shedRequests,
  watching,
} from "./panels.ts";

/** What a service answers: HTTP the gateway, gRPC the others. */
interface Face {
  readonly histogram: string;
  /** Tells one thing asked from another. */
  readonly asked: string;
  /** Tells how it ended. */
  readonly outcome: string;
  readonly failed: string;
  readonly filter: string;
}

const http: Face = {
  histogram: "http_request_duration_seconds",
  asked: "method, route",
  outcome: "status_code",
  failed: 'status_code=~"5.."',
  filter: noStreams,
};

const rpc: Face = {
  histogram: "rpc_server_duration_seconds",
  asked: "method",
  outcome: "code",
  failed: 'code=~"internal|unknown|unavailable|deadline_exceeded"',
  filter: 'method!~".*/WatchOrders"',
};

export const services: readonly DashboardDescription[] = [
  serviceDashboard("gateway", "Gateway", http, [
    { question: "Can it keep up?", panels: [shedRequests] },
  ]),
  serviceDashboard("user-service", "User service", rpc, [accounts]),
  serviceDashboard("order-service", "Order service", rpc, [watching]),
];

function serviceDashboard(
  service: string,
  title: string,
  face: Face,
  more: readonly RowDescription[] = [],
): DashboardDescription {
  const mine = `service="${service}"`;
  return {
    uid: service,
    title,
    rows: [
      { question: "Is it there?", panels: presence(mine) },
      { question: "What is it asked, and how does it answer?", panels: answers(face, mine) },
      ...more,
      { question: "How are the services that it calls?", panels: callsToOthers(mine) },
      { question: "Are its stores there?", panels: stores(service, mine) },
      { question: "What does it use?", panels: [...resources(mine), files(mine)] },
    ],
  };
}

function presence(mine: string): PanelDescription[] {
  return [
    {
      title: "Instances that take requests",
      kind: "number",
      unit: "none",
      queries: { ready: `sum(process_ready{${mine}})` },
      limits: { warn: 1, bad: 1, below: true },
    },
    {
      title: "Ready",
      kind: "states",
      unit: "none",
      queries: { "{{instance}}": `process_ready{${mine}}` },
      limits: { warn: 1, bad: 1, below: true },
      names: { 0: "not ready", 1: "ready" },
    },
    {
      title: "Runs for",
      kind: "number",
      unit: "s",
      queries: { "{{instance}}": `time() - process_start_time_seconds{${mine}}` },
    },
    {
      title: "Versions",
      kind: "number",
      unit: "none",
      queries: {
        "{{version}} on {{node}}": `count by (version, node) (build_info{${mine}})`,
      },
    },
  ];
}

function stores(service: string, mine: string): PanelDescription[] {
  const state = (title: string, metric: string): PanelDescription => ({
    title,
    kind: "states",
    unit: "none",
    queries: { "{{instance}}": `${metric}{${mine}}` },
    limits: { warn: 1, bad: 1, below: true },
    names: { 0: "away", 1: "there" },
  });
  const redis = state("Redis", "redis_up");
  if (service === "gateway") return [redis];
  return [
    redis,
    state("PostgreSQL", "database_up"),
    {
      title: "Queries under way",
      meaning: "Ten run at a time in an instance, the rest waits for a connection.",
      unit: "none",
      queries: { "{{instance}}": `database_queries_under_way{${mine}}` },
      limits: { warn: 50, bad: 200 },
    },
  ];
}

function answers(face: Face, mine: string): PanelDescription[] {
  const { histogram, asked, outcome, failed, filter } = face;
  const rate = (more: string) => `rate(${histogram}_count{${mine}${more}}[$__rate_interval])`;
  const legend = asked
    .split(", ")
    .map((label) => `{{${label}}}`)
    .join(" ");
  return [
    {
      title: "Asked",
      unit: "reqps",
      queries: { [legend]: `topk(15, sum by (${asked}) (${rate("")}))` },
    },
    {
      title: "Answered",
      unit: "reqps",
      queries: { [`{{${outcome}}}`]: `sum by (${outcome}) (${rate("")})` },
    },
    {
      title: "Failed",
      unit: "reqps",
      queries: {
        [`{{${outcome}}} ${legend}`]: `topk(10, sum by (${outcome}, ${asked}) (${rate(`, ${failed}`)}))`,
      },
    },
    {
      title: "Slowest",
      meaning: "99 % are faster.",
      unit: "s",
      queries: {
        [legend]: `topk(10, ${quantileOf(0.99, histogram, asked, `${mine}, ${filter}`)})`,
      },
      limits: { warn: 0.25, bad: 0.5 },
    },
  ];
}

function files(mine: string): PanelDescription {
  return {
    title: "Open files and connections",
    meaning: "Share of what the kernel allows.",
    unit: "percentunit",
    queries: { "{{instance}}": `process_open_fds{${mine}} / process_max_fds{${mine}}` },
    limits: { warn: 0.5, bad: 0.8 },
  };
}
