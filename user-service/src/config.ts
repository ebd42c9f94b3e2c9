import {
  type Config,
  httpUrls,
  integer,
  otlpEndpoint,
  port,
  postgresUrl,
  redisUrl,
  secretKeys,
  text,
  upstreamTimeout,
} from "@3l1/kit/config.ts";
import { logLevels } from "@3l1/kit/logger.ts";
import type { SessionTimes } from "./session-store.ts";

const days = 24 * 60 * 60;

/** The user-service's settings. */
export const settings = {
  USER_SERVICE_HOST: text({ default: "127.0.0.1", desc: "address for gRPC" }),
  USER_SERVICE_PORT: port({ default: 50_051, desc: "port for gRPC" }),
  USER_SERVICE_ADMIN_HOST: text({ default: "127.0.0.1", desc: "address of the admin port" }),
  USER_SERVICE_ADMIN_PORT: port({ default: 6061, desc: "metrics, health and breakers" }),
  USER_DATABASE_URL: postgresUrl({ desc: "PostgreSQL, a database of its own" }),
  USER_DATABASE_DIRECT_URL: postgresUrl({
    default: undefined,
    desc: "PostgreSQL without a pooler between, for migrations and locks; default: USER_DATABASE_URL",
  }),
  REDIS_URL: redisUrl({
    desc: "Redis, shared with the gateway; a comma list: nodes of one cluster",
  }),
  ORDER_SERVICE_URL: httpUrls({
    default: ["http://127.0.0.1:50052"],
    desc: "the order-service's addresses, separated by commas",
  }),
  UPSTREAM_TIMEOUT_MS: upstreamTimeout,
  SECRET_KEYS: secretKeys({
    desc: "secrets of 32 characters or more, separated by commas; the first signs, all verify",
  }),
  ADMIN_EMAIL: text({
    default: "",
    desc: "e-mail of the first administrator, made while there is none; empty: not made",
  }),
  ADMIN_PASSWORD: text({
    default: "",
    desc: "password of the first administrator; counts only when that one is made",
  }),
  ACCESS_TOKEN_TTL_SECONDS: integer(1, 3600)({ default: 300, desc: "life of an access token" }),
  SESSION_ROTATE_AFTER_SECONDS: integer(
    1,
    days,
  )({
    default: 60,
    desc: "a session key that is younger is not replaced; not less than SESSION_GRACE_SECONDS",
  }),
  SESSION_GRACE_SECONDS: integer(
    0,
    300,
  )({ default: 15, desc: "how long a replaced session key still counts" }),
  SESSION_IDLE_SECONDS: integer(
    1,
    366 * days,
  )({ default: 7 * days, desc: "a session that is not used for so long ends" }),
  SESSION_ABSOLUTE_SECONDS: integer(
    1,
    366 * days,
  )({ default: 30 * days, desc: "a session ends so long after the login, used or not" }),
  PASSWORD_MIN_LENGTH: integer(8, 256)({ default: 15, desc: "fewest characters of a password" }),
  LOG_LEVEL: text({ choices: logLevels, default: "info", desc: "how much to log" }),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
};

export type Settings = typeof settings;

/** What is wrong between settings that are right each for itself. */
export function checkSettings(config: Config<Settings>): string[] {
  const problems: string[] = [];
  if (config.ADMIN_EMAIL !== "" && config.ADMIN_PASSWORD === "")
    problems.push("ADMIN_PASSWORD is missing, while ADMIN_EMAIL is set");
  if (config.SESSION_IDLE_SECONDS <= config.ACCESS_TOKEN_TTL_SECONDS)
    problems.push("SESSION_IDLE_SECONDS must be more than ACCESS_TOKEN_TTL_SECONDS");
  return problems;
}

export function sessionTimesOf(config: Config<Settings>): SessionTimes {
  return {
    rotateAfterMs: config.SESSION_ROTATE_AFTER_SECONDS * 1000,
    graceMs: config.SESSION_GRACE_SECONDS * 1000,
    idleMs: config.SESSION_IDLE_SECONDS * 1000,
    absoluteMs: config.SESSION_ABSOLUTE_SECONDS * 1000,
  };
}
