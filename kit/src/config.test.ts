import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  ConfigError,
  flag,
  httpUrls,
  integer,
  loadConfig,
  port,
  postgresUrl,
  secretKeys,
} from "./config.ts";

const settings = {
  PORT: port({ default: 8080, desc: "port to listen on" }),
  TTL_SECONDS: integer(1, 100)({ default: 30 }),
  SERVICE_URL: httpUrls({}),
  SECRET_KEYS: secretKeys({ desc: "what keys are derived from" }),
  SECURE: flag({ default: true }),
};
const secret = "s".repeat(32);
const good = { SERVICE_URL: "http://a:1, http://b:2", SECRET_KEYS: secret };

function problemsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(settings, env);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems;
  }
}

test("defaults fill what is not set, and lists are split", () => {
  const config = loadConfig(settings, good);
  assert.equal(config.PORT, 8080);
  assert.equal(config.SECURE, true);
  assert.deepEqual(config.SERVICE_URL, ["http://a:1", "http://b:2"]);
});

test("all problems are told at once, each with the setting's name", () => {
  const problems = problemsOf({ PORT: "70000", TTL_SECONDS: "1.5", SERVICE_URL: "ftp://a" });
  assert.deepEqual(problems.map((line) => line.split(" ")[0]).sort(), [
    "PORT",
    "SECRET_KEYS",
    "SERVICE_URL",
    "TTL_SECONDS",
  ]);
  assert.match(
    problems.find((line) => line.startsWith("PORT")) ?? "",
    /1 to 65535.*port to listen on/,
  );
});

test("a problem never shows the value", () => {
  const problems = problemsOf({ ...good, SECRET_KEYS: "hunter2" });
  assert.equal(problems.length, 1);
  assert.doesNotMatch(problems.join(), /hunter2/);
});

test("a database is a postgres:// address, and one that is none is refused without its password", () => {
  const load = (DATABASE_URL: string) =>
    loadConfig({ DATABASE_URL: postgresUrl({}) }, { DATABASE_URL });
  for (const good of ["postgres://u:p@h:5432/db", "postgresql://h/db?sslmode=require"])
    assert.equal(load(good).DATABASE_URL, good);
  for (const bad of ["http://h/db", "mysql://u:hunter2@h/db", "postgres//u:hunter2@h/db", "h:5432"])
    assert.throws(
      () => load(bad),
      ({ message }: Error) =>
        /DATABASE_URL must be a postgres:/.test(message) && !/hunter2/.test(message),
      bad,
    );
});

test("a secret may stand in a file, and an unreadable file is a problem of its own", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "3l1-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "secret");
  writeFileSync(file, `${secret}\n`);
  const { SECRET_KEYS, ...rest } = good;
  assert.deepEqual(loadConfig(settings, { ...rest, SECRET_KEYS_FILE: file }).SECRET_KEYS, [secret]);
  assert.deepEqual(problemsOf({ ...rest, SECRET_KEYS_FILE: "/nowhere" }), [
    "SECRET_KEYS_FILE cannot be read: ENOENT",
  ]);
});

test("an empty value counts as unset, and the configuration cannot be changed", () => {
  const config = loadConfig(settings, { ...good, PORT: "" });
  assert.equal(config.PORT, 8080);
  assert.throws(() => Object.assign(config, { PORT: 1 }));
});

test("an address of a service is host and port, and its path or password is not passed over", () => {
  for (const good of ["http://a", "http://a:1/", "http://[::1]:50051, https://b"])
    loadConfig({ SERVICE_URL: httpUrls({}) }, { SERVICE_URL: good });
  for (const bad of [
    "http://a/path",
    "http://a:1?x",
    "http://u:hunter2@a",
    "http://a, ftp://b",
    ",",
  ])
    assert.throws(
      () => loadConfig({ SERVICE_URL: httpUrls({}) }, { SERVICE_URL: bad }),
      /SERVICE_URL must list http:\/\/ addresses of nothing but host and port$/m,
      bad,
    );
});
