import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { environmentFor, isSet, readSetting, withDefaults } from "./environment.ts";
import { testFolder } from "./test-folder.ts";

const all = {
  PATH: "/bin",
  LOG_LEVEL: "debug",
  OTEL_EXPORTER_OTLP_ENDPOINT: "http://collector",
  SECRET_KEYS: "k",
  REDIS_URL: "redis://r",
  ADMIN_EMAIL: "a@example.com",
  ADMIN_PASSWORD_FILE: "/run/secrets/admin",
  USER_DATABASE_URL: "postgres://u",
  USER_DATABASE_DIRECT_URL: "postgres://u-direct",
  ORDER_DATABASE_URL_FILE: "/run/secrets/order",
  USER_SERVICE_URL: "http://u",
  ORDER_SERVICE_URL: "http://o",
  GATEWAY_PORT: "1",
  USER_SERVICE_PORT: "2",
  ORDER_SERVICE_ADMIN_PORT: "3",
  DEMO_PASSWORD: "d",
  PLATFORM_DIR: "/p",
  npm_config__authToken: "t",
};
const shared = ["PATH", "LOG_LEVEL", "OTEL_EXPORTER_OTLP_ENDPOINT", "SECRET_KEYS", "REDIS_URL"];

test("each process gets what is for all, and of the rest only what is its own", () => {
  const names = (service: Parameters<typeof environmentFor>[0]) =>
    Object.keys(environmentFor(service, all)).filter((name) => !shared.includes(name));
  assert.deepEqual(names("gateway"), ["USER_SERVICE_URL", "ORDER_SERVICE_URL", "GATEWAY_PORT"]);
  assert.deepEqual(names("user-service"), [
    "ADMIN_EMAIL",
    "ADMIN_PASSWORD_FILE",
    "USER_DATABASE_URL",
    "USER_DATABASE_DIRECT_URL",
    "ORDER_SERVICE_URL",
    "USER_SERVICE_PORT",
  ]);
  assert.deepEqual(names("order-service"), [
    "ORDER_DATABASE_URL_FILE",
    "USER_SERVICE_URL",
    "ORDER_SERVICE_ADMIN_PORT",
  ]);
  for (const service of ["gateway", "user-service", "order-service"] as const)
    assert.deepEqual(Object.keys(environmentFor(service, all)).slice(0, 5), shared);
});

test("a default yields to a value and to a file, and not to an empty value", () => {
  const file = join(testFolder(), "redis-url");
  writeFileSync(file, "redis://from-a-file\n");
  const given = { LOG_LEVEL: "", REDIS_URL_FILE: file, SECRET_KEYS: "mine" };
  const env = withDefaults(given, { LOG_LEVEL: "info", REDIS_URL: "redis://x", SECRET_KEYS: "x" });
  assert.equal(env.LOG_LEVEL, "info");
  assert.equal(env.SECRET_KEYS, "mine");
  assert.equal(isSet(env, "REDIS_URL"), true);
  assert.equal(readSetting(env, "REDIS_URL"), "redis://from-a-file");
});
