import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { findSecrets, refuseSecrets, refuseSecretsInLogs } from "./leaked-secrets.ts";
import { testFolder } from "./test-folder.ts";

const token = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIwMTk4MDAwMCJ9.c2lnbmF0dXJl";
const sessionKey = Buffer.alloc(73, 0xa5).fill(1, 0, 1).toString("base64url");

test("tokens, session keys, hashes and known passwords are found, by line and kind", () => {
  const lines = [
    '{"msg":"request","userId":"01980000-0000-7000-8000-000000000001"}',
    `{"authorization":"Bearer ${token}"}`,
    `cookie: session_key=${sessionKey}; path=/`,
    "hash $argon2id$v=19$m=19456",
    "password was correct horse",
  ];
  assert.deepEqual(findSecrets(lines.join("\n"), ["correct horse", ""]), [
    "a token in line 2",
    "a session key in line 3",
    "a password's hash in line 4",
    "a known secret in line 5",
  ]);
});

test("what is found is told without being shown, in log files too", async () => {
  const folder = testFolder();
  await refuseSecretsInLogs(folder, []);
  writeFileSync(join(folder, "redis.log"), `\n${token}\n`);
  await assert.rejects(
    refuseSecretsInLogs(folder, []),
    (error: Error) => /redis\.log has a token/.test(error.message) && !/eyJ/.test(error.message),
  );
  assert.doesNotThrow(() => refuseSecrets("output", "all is well", [token]));
});
