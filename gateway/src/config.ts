import { isIP } from "node:net";
import {
  type Config,
  flag,
  httpUrls,
  integer,
  otlpEndpoint,
  port,
  redisUrl,
  secretKeys,
  splitList,
  text,
  upstreamTimeout,
} from "@3l1/kit/config.ts";
import { logLevels } from "@3l1/kit/logger.ts";
import { makeValidator } from "envalid";

/** Exact origins, `scheme://host[:port]`. `*` would hand every site the session of every visitor. */
const origins = makeValidator<readonly string[]>((input) => {
  const entries = splitList(input);
  if (entries.some((entry) => URL.parse(entry)?.origin !== entry || entry.includes("*")))
    throw new Error("must list exact origins such as https://app.example.com, and never *");
  return entries;
});

/** Networks. `true`, a number of hops or all of the internet would let clients choose their address. */
const networks = makeValidator<readonly string[]>((input) => {
  const entries = splitList(input);
  if (!entries.every(isNetwork)) throw new Error("must list CIDRs such as 10.0.0.0/8");
  return entries;
});

const perMinute = integer(0, 1_000_000);
const limitRule = "never more in any 60 s, a fifth of it at once; 0: no limit";

/** What an operator may set. The rest stands in limits.ts. */
export const settings = {
  NODE_ENV: text({
    default: "development",
    desc: "`production` refuses what is only for development",
  }),
  LOG_LEVEL: text({ default: "info", choices: [...logLevels], desc: "how much to log" }),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,

  GATEWAY_HOST: text({ default: "127.0.0.1", desc: "address of the public port" }),
  GATEWAY_PORT: port({ default: 8080, desc: "the public port" }),
  GATEWAY_ADMIN_HOST: text({ default: "127.0.0.1", desc: "address of the admin port" }),
  GATEWAY_ADMIN_PORT: port({ default: 6060, desc: "metrics, health and breakers" }),

  USER_SERVICE_URL: httpUrls({
    default: ["http://127.0.0.1:50051"],
    desc: "where the user-service is; a comma list, each name resolved to all its addresses",
  }),
  ORDER_SERVICE_URL: httpUrls({
    default: ["http://127.0.0.1:50052"],
    desc: "where the order-service is; a comma list, each name resolved to all its addresses",
  }),
  REDIS_URL: redisUrl({
    default: "redis://127.0.0.1:6379",
    desc: "Redis, for the rate limits and revocations; a comma list: nodes of one cluster",
  }),
  SECRET_KEYS: secretKeys({
    desc: "secrets of 32 characters or more, the same for all processes; the first is used, all are accepted",
  }),

  COOKIE_SECURE: flag({
    default: true,
    desc: "session cookies for https alone; false is for development over http",
  }),
  CORS_ORIGINS: origins({
    default: [],
    desc: "other origins whose pages may call with credentials",
  }),
  TRUST_PROXY: networks({
    default: [],
    desc: "networks of the proxies in front, whose X-Forwarded-For is believed",
  }),

  RATE_LIMIT_IP_PER_MINUTE: perMinute({
    default: 3_000,
    desc: `requests of an address (IPv6: a /64) per minute: ${limitRule}`,
  }),
  RATE_LIMIT_USER_PER_MINUTE: perMinute({
    default: 1_200,
    desc: `requests of a user per minute: ${limitRule}`,
  }),
  RATE_LIMIT_LOGIN_PER_MINUTE: perMinute({
    default: 100,
    desc: `registrations and logins from an address per minute: ${limitRule}`,
  }),
  MAX_CONCURRENT_REQUESTS: integer(
    1,
    1_000_000,
  )({
    default: 1024,
    desc: "requests under way at once; more are answered 503",
  }),
  UPSTREAM_TIMEOUT_MS: upstreamTimeout,
};

export type GatewayConfig = Config<typeof settings>;

/** What is wrong between settings that are right each for itself. */
export function checkSettings({ NODE_ENV, COOKIE_SECURE }: GatewayConfig): string[] {
  return NODE_ENV === "production" && !COOKIE_SECURE
    ? ["COOKIE_SECURE must not be false when NODE_ENV is production"]
    : [];
}

function isNetwork(entry: string): boolean {
  const [, address = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(entry) ?? [];
  const version = isIP(address);
  return version !== 0 && Number(bits) >= 1 && Number(bits) <= (version === 4 ? 32 : 128);
}
