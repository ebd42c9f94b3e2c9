import type { DashboardDescription } from "./dashboard.ts";
import {
  accounts,
  callsToOthers,
  noStreams,
  orZero,
  quantileOf,
  resources,
  shedRequests,
} from "./panels.ts";

const requests = "http_request_duration_seconds_count";
const rate = (filter = "") => `rate(${requests}{${filter}}[$__rate_interval])`;
const failed = 'status_code=~"5.."';
/** Of the last 30 days. */
const failedShare = `${orZero(`sum(increase(${requests}{${failed}}[30d]))`)} / sum(increase(${requests}[30d]))`;

export const overview: DashboardDescription = {
  uid: "overview",
  title: "Platform",
  rows: [
    {
      question: "Is it there, and does it serve?",
      panels: [
        {
          title: "Instances that take requests",
          kind: "number",
          unit: "none",
          queries: { "{{service}}": "sum by (service) (process_ready)" },
          limits: { warn: 1, bad: 1, below: true },
        },
        {
          title: "Alerts",
          kind: "number",
          unit: "none",
          queries: { firing: orZero('count(ALERTS{alertstate="firing"})') },
          limits: { warn: 1, bad: 1 },
        },
        {
          title: "Requests",
          unit: "reqps",
          queries: { "{{status_code}}": `sum by (status_code) (${rate()})` },
        },
        {
          title: "Share that fails",
          meaning: "Answered 5xx. 0.1 % may be.",
          unit: "percentunit",
          queries: { failed: `${orZero(`sum(${rate(failed)})`)} / sum(${rate()})` },
          limits: { warn: 0.001, bad: 0.0144 },
        },
      ],
    },
    {
      question: "How much of what we promise is left?",
      panels: [
        {
          title: "Availability, 30 days",
          kind: "number",
          unit: "percentunit",
          queries: { served: `1 - ${failedShare}` },
          limits: { warn: 0.9995, bad: 0.999, below: true },
        },
        {
          title: "Error budget left",
          meaning: "Of the 0.1 % that may fail in 30 days.",
          kind: "number",
          unit: "percentunit",
          queries: { left: `1 - ${failedShare} / 0.001` },
          limits: { warn: 0.5, bad: 0, below: true },
        },
        {
          title: "Availability budget: burn rate",
          meaning: "At 1 it lasts 30 days, at 14.4 two days.",
          unit: "none",
          queries: {
            "1 hour": "gateway:error_ratio:rate1h / 0.001",
            "6 hours": "gateway:error_ratio:rate6h / 0.001",
            "3 days": "gateway:error_ratio:rate3d / 0.001",
          },
          limits: { warn: 1, bad: 6 },
        },
        {
          title: "Latency budget: burn rate",
          meaning: "1 % may take more than 500 ms. At 1 the budget lasts 30 days.",
          unit: "none",
          queries: {
            "1 hour": "gateway:slow_ratio:rate1h / 0.01",
            "6 hours": "gateway:slow_ratio:rate6h / 0.01",
            "3 days": "gateway:slow_ratio:rate3d / 0.01",
          },
          limits: { warn: 1, bad: 6 },
        },
      ],
    },
    {
      question: "Who gets errors, and which?",
      panels: [
        {
          title: "Failures by route",
          unit: "reqps",
          queries: {
            "{{status_code}} {{method}} {{route}}": `topk(10, sum by (status_code, method, route) (${rate(failed)}))`,
          },
        },
        {
          title: "Refusals by route",
          meaning: "401 no or bad credentials, 403 not allowed, 409 conflict, 429 too many.",
          unit: "reqps",
          queries: {
            "{{status_code}} {{method}} {{route}}": `topk(10, sum by (status_code, method, route) (${rate('status_code=~"4.."')}))`,
          },
        },
        {
          title: "Failures by method",
          unit: "reqps",
          queries: {
            "{{code}} {{method}}": `topk(10, sum by (code, method) (rate(rpc_server_duration_seconds_count{code=~"internal|unknown|unavailable|deadline_exceeded"}[$__rate_interval])))`,
          },
        },
      ],
    },
    {
      question: "Where is the time spent?",
      panels: [
        {
          title: "Answer time",
          unit: "s",
          queries: Object.fromEntries(
            [50, 95, 99].map((percent) => [
              `${percent} % are faster`,
              quantileOf(percent / 100, "http_request_duration_seconds", "", noStreams),
            ]),
          ),
          limits: { warn: 0.25, bad: 0.5 },
        },
        {
          title: "Slowest routes",
          meaning: "99 % are faster.",
          unit: "s",
          queries: {
            "{{method}} {{route}}": `topk(10, ${quantileOf(0.99, "http_request_duration_seconds", "method, route", noStreams)})`,
          },
          limits: { warn: 0.25, bad: 0.5 },
        },
        {
          title: "Slowest methods of the services",
          meaning: "99 % are faster.",
          unit: "s",
          queries: {
            "{{method}}": `topk(10, ${quantileOf(0.99, "rpc_server_duration_seconds", "method")})`,
          },
          limits: { warn: 0.25, bad: 0.5 },
        },
      ],
    },
    {
      question: "What is cut off, shed or tried again?",
      panels: [...callsToOthers(""), shedRequests],
    },
    {
      question: "Whom do the limits stop?",
      panels: [
        {
          title: "Too many requests (429)",
          unit: "reqps",
          queries: { "{{route}}": `sum by (route) (${rate('status_code="429"')})` },
        },
        {
          title: "Limits counted without Redis",
          meaning: "Above 0: Redis is away, and each gateway counts alone.",
          unit: "ops",
          queries: {
            "{{instance}}": "rate(rate_limit_fallbacks_total[$__rate_interval])",
          },
          limits: { warn: 0.01, bad: 1 },
        },
      ],
    },
    accounts,
    { question: "What do the processes use?", panels: resources('service!=""') },
  ],
};
