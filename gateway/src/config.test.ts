import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError, loadConfig } from "@3l1/kit/config.ts";
import { checkSettings, settings } from "./config.ts";

const SECRET_KEYS = "0123456789012345678901234567890123456789";

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    return checkSettings(loadConfig(settings, { SECRET_KEYS, ...env }));
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

test("the secrets alone have no default", () => {
  assert.deepEqual(problemsOf({}), []);
  assert.match(problemsOf({ SECRET_KEYS: "" })[0] ?? "", /^SECRET_KEYS is missing/);
});

test("proxies are networks, and never everybody", () => {
  assert.deepEqual(problemsOf({ TRUST_PROXY: "10.0.0.0/8, ::1/128,192.0.2.7/32" }), []);
  for (const bad of [
    "true",
    "1",
    "loopback",
    "10.0.0.1",
    "0.0.0.0/0",
    "::/0",
    "10.0.0.0/33",
    "x/8",
  ])
    assert.match(problemsOf({ TRUST_PROXY: bad })[0] ?? "", /^TRUST_PROXY must list CIDRs/, bad);
});

test("origins are exact", () => {
  assert.deepEqual(problemsOf({ CORS_ORIGINS: "https://a.example,http://localhost:5173" }), []);
  for (const bad of [
    "*",
    "https://a.example/",
    "a.example",
    "https://*.example",
    "null",
    "https://A.example",
  ])
    assert.match(problemsOf({ CORS_ORIGINS: bad })[0] ?? "", /^CORS_ORIGINS must list/, bad);
});

test("production refuses a cookie for plain http", () => {
  const insecure = { COOKIE_SECURE: "false" };
  assert.deepEqual(problemsOf(insecure), []);
  assert.match(
    problemsOf({ ...insecure, NODE_ENV: "production" })[0] ?? "",
    /^COOKIE_SECURE must not/,
  );
});

test("all problems are told at once", () => {
  const env = {
    GATEWAY_PORT: "0",
    MAX_CONCURRENT_REQUESTS: "many",
    UPSTREAM_TIMEOUT_MS: "-1",
    RATE_LIMIT_IP_PER_MINUTE: "1.5",
  };
  assert.equal(problemsOf(env).length, 4);
});
