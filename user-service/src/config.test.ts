import assert from "node:assert/strict";
import { test } from "node:test";
import { loadConfig } from "@3l1/kit/config.ts";
import { checkSettings, sessionTimesOf, settings } from "./config.ts";

const env = {
  USER_DATABASE_URL: "postgres://users@127.0.0.1/users",
  REDIS_URL: "redis://127.0.0.1",
  SECRET_KEYS: "s".repeat(32),
};

test("what has to be set is little, and the rest has its documented defaults", () => {
  const config = loadConfig(settings, env);
  assert.deepEqual(checkSettings(config), []);
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

test("settings that make no sense together are told all at once", () => {
  const bad = { ADMIN_EMAIL: "a@b.c", SESSION_IDLE_SECONDS: "300" };
  assert.deepEqual(checkSettings(loadConfig(settings, { ...env, ...bad })), [
    "ADMIN_PASSWORD is missing, while ADMIN_EMAIL is set",
    "SESSION_IDLE_SECONDS must be more than ACCESS_TOKEN_TTL_SECONDS",
  ]);
});

test("an address that is none is a bad setting, the one past the pooler too", () => {
  const bad = { ...env, USER_DATABASE_DIRECT_URL: "nowhere" };
  assert.throws(() => loadConfig(settings, bad), /USER_DATABASE_DIRECT_URL/);
});
