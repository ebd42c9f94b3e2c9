import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "@3l1/kit/config.ts";
import { requireSense, sessionTimesOf, settings } from "./config.ts";

const env = {
  USER_DATABASE_URL: "postgres://users@127.0.0.1/users",
  REDIS_URL: "redis://127.0.0.1",
  SECRET_KEYS: "s".repeat(32),
};

test("what has to be set is little, and the rest has its documented defaults", () => {
  const config = loadConfig(settings, env);
  requireSense(config);
  assert.deepEqual(sessionTimesOf(config), {
    rotateAfterMs: 60_000,
    graceMs: 15_000,
    idleMs: 7 * 24 * 3_600_000,
    absoluteMs: 30 * 24 * 3_600_000,
  });
  assert.equal(config.ACCESS_TOKEN_TTL_SECONDS, 300);
  assert.equal(config.PASSWORD_MIN_LENGTH, 15);
  assert.deepEqual([config.USER_SERVICE_PORT, config.USER_SERVICE_ADMIN_PORT], [50_051, 6061]);
});

test("settings that make no sense together stop the start", () => {
  const load = (more: Record<string, string>) => loadConfig(settings, { ...env, ...more });
  assert.throws(() => requireSense(load({ ADMIN_EMAIL: "a@b.c" })), /ADMIN_PASSWORD is missing/);
  assert.throws(() => requireSense(load({ SESSION_IDLE_SECONDS: "300" })), /SESSION_IDLE_SECONDS/);
});
