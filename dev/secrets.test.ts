import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { loadSecrets } from "./secrets.ts";
import { testFolder } from "./test-folder.ts";

const mode = (file: string) => statSync(file).mode & 0o777;

test("secrets are made up once, for their owner's eyes alone", () => {
  const folder = testFolder();
  const file = join(folder, "secrets.json");
  const secrets = loadSecrets(folder);
  assert.equal(mode(file), 0o600);
  assert.ok(secrets.secretKeys.length >= 32);
  assert.match(secrets.demoPassword, /^(\w{5}-){3}\w{5}$/);
  assert.notEqual(secrets.demoPassword, secrets.adminPassword);
  const written = readFileSync(file, "utf8");
  assert.deepEqual(loadSecrets(folder), secrets);
  assert.equal(readFileSync(file, "utf8"), written);
});

test("a file that others can read is closed to them", () => {
  const folder = testFolder();
  const file = join(folder, "secrets.json");
  const secrets = loadSecrets(folder);
  chmodSync(file, 0o644);
  assert.deepEqual(loadSecrets(folder), secrets);
  assert.equal(mode(file), 0o600);
});

test("a secret that a newer version adds is made up, and the others stay", () => {
  const folder = testFolder();
  writeFileSync(join(folder, "secrets.json"), JSON.stringify({ secretKeys: "known" }));
  assert.equal(loadSecrets(folder).secretKeys, "known");
  assert.equal(loadSecrets(folder).adminPassword, loadSecrets(folder).adminPassword);
});

test("a damaged file is told of, not replaced", () => {
  const folder = testFolder();
  writeFileSync(join(folder, "secrets.json"), "{");
  assert.throws(() => loadSecrets(folder), { name: "StartError", message: /secrets\.json/ });
});
