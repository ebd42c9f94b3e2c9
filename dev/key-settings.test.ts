import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { keySettings } from "./key-settings.ts";
import { writePlatformFile } from "./platform-file.ts";
import { writePrivateJson } from "./private-json.ts";
import { loadSecrets } from "./secrets.ts";
import { testFolder } from "./test-folder.ts";

const root = "/repository";
const service = { pid: 1, url: "http://127.0.0.1:1", adminUrl: "http://127.0.0.1:2" };

/** The files of a platform that runs. */
function runningPlatform(postgres: { pid: number | null; url: string }): string {
  const folder = testFolder();
  mkdirSync(join(folder, "postgres"));
  const passwords = { postgres: "super", user_service: "own", order_service: "other" };
  writePrivateJson(join(folder, "postgres", "passwords.json"), passwords);
  writePlatformFile(folder, {
    gateway: service,
    userService: service,
    orderService: service,
    postgres,
    redis: { pid: 2, url: "redis://r" },
  });
  return folder;
}

test("what the environment sets is taken, and then no platform need run", () => {
  const env = { USER_DATABASE_URL: "postgres://db", SECRET_KEYS_FILE: "/run/secrets/keys" };
  assert.deepEqual(keySettings(env, root), env);
});

test("the rest comes from the running platform: its secret, and the user-service's own login", () => {
  const url = "postgres://postgres:super@127.0.0.1:5433/postgres";
  const folder = runningPlatform({ pid: 3, url });
  const { secretKeys } = loadSecrets(folder);
  const settings = keySettings({ PLATFORM_DIR: folder }, root);
  assert.equal(
    settings.USER_DATABASE_URL,
    "postgres://user_service:own@127.0.0.1:5433/user_service",
  );
  assert.equal(settings.SECRET_KEYS, secretKeys);
  const given = keySettings({ PLATFORM_DIR: folder, SECRET_KEYS: "mine" }, root);
  assert.equal(given.SECRET_KEYS, "mine");
});

test("a database that the platform was given is taken as it is", () => {
  const folder = runningPlatform({ pid: null, url: "postgres://me@elsewhere/users" });
  const { USER_DATABASE_URL } = keySettings({ PLATFORM_DIR: folder }, root);
  assert.equal(USER_DATABASE_URL, "postgres://me@elsewhere/users");
});

test("where no platform runs, it says what to do", () => {
  assert.throws(
    () => keySettings({ PLATFORM_DIR: testFolder() }, root),
    /no platform runs in .*\n.*npm start.*PLATFORM_DIR.*SECRET_KEYS/,
  );
});
