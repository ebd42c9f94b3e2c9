import {
  httpUrls,
  otlpEndpoint,
  port,
  postgresUrl,
  redisUrl,
  secretKeys,
  text,
  upstreamTimeout,
} from "@3l1/kit/config.ts";
import { logLevels } from "@3l1/kit/logger.ts";

/** The order-service's settings. */
export const settings = {
  ORDER_SERVICE_HOST: text({
    default: "127.0.0.1",
    desc: "address that the gRPC port listens on",
  }),
  ORDER_SERVICE_PORT: port({ default: 50_052, desc: "gRPC port (h2c)" }),
  ORDER_SERVICE_ADMIN_HOST: text({
    default: "127.0.0.1",
    desc: "address that the admin port listens on; not to be reached from outside",
  }),
  ORDER_SERVICE_ADMIN_PORT: port({
    default: 6062,
    desc: "metrics, health and breakers",
  }),
  ORDER_DATABASE_URL: postgresUrl({
    desc: "PostgreSQL database of the orders, postgres://user:password@host:port/name",
  }),
  ORDER_DATABASE_DIRECT_URL: postgresUrl({
    default: undefined,
    desc: "the same database past a connection pooler, for migrations and notices; default ORDER_DATABASE_URL",
  }),
  REDIS_URL: redisUrl({
    desc: "Redis, shared with the gateway, tells which tokens were revoked; a comma list: nodes of one cluster",
  }),
  USER_SERVICE_URL: httpUrls({
    default: ["http://127.0.0.1:50051"],
    desc: "where the user-service is, as a comma list of http:// addresses; it has the signing keys",
  }),
  SECRET_KEYS: secretKeys({
    desc: "comma list of secrets of 32 or more characters, the same in every process; the first is used, all are accepted",
  }),
  UPSTREAM_TIMEOUT_MS: upstreamTimeout,
  LOG_LEVEL: text({ default: "info", choices: logLevels, desc: "how much to log" }),
  OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint,
};

export type Settings = typeof settings;
