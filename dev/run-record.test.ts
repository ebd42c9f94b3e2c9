import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { writePlatformFile } from "./platform-file.ts";
import { readPrivateJson, writePrivateJson } from "./private-json.ts";
import { identify } from "./process-identity.ts";
import { claimPlatformDir } from "./run-record.ts";
import { testFolder } from "./test-folder.ts";

const nobodyLeft = { pid: process.pid, bornAt: "before this process" };
const silent = () => {};

function platformAt(url: string) {
  const service = { pid: 1, url, adminUrl: url };
  const store = { pid: null, url };
  return {
    gateway: service,
    userService: service,
    orderService: service,
    postgres: store,
    redis: store,
  };
}

test("a folder has one platform at a time, and whoever comes second learns where it is", async () => {
  const folder = testFolder();
  const record = await claimPlatformDir(folder, silent);
  await assert.rejects(claimPlatformDir(folder, silent), /already starting or stopping/);
  writePlatformFile(folder, platformAt("http://127.0.0.1:8080"));
  await assert.rejects(claimPlatformDir(folder, silent), {
    name: "StartError",
    message: /already running at http:\/\/127\.0\.0\.1:8080/,
  });
  record.release();
  (await claimPlatformDir(folder, silent)).release();
});

test("of many at once, one gets the folder", async () => {
  const folder = testFolder();
  writePrivateJson(join(folder, "run.json"), { launcher: nobodyLeft, processes: [] });
  const claims = Array.from({ length: 8 }, () => claimPlatformDir(folder, silent));
  const settled = await Promise.allSettled(claims);
  assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 1);
});

test("what a killed launcher left is ended, and platform.json is no longer there", async () => {
  const folder = testFolder();
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const ended = once(child, "exit");
  const left = { name: "gateway", role: "service", ...identify(child.pid ?? 0) };
  const stranger = { name: "redis", role: "store", ...nobodyLeft };
  writePrivateJson(join(folder, "run.json"), { launcher: nobodyLeft, processes: [left, stranger] });
  writePlatformFile(folder, platformAt("http://127.0.0.1:8080"));
  const lines: string[] = [];
  const record = await claimPlatformDir(folder, (line) => lines.push(line));
  assert.deepEqual(await ended, [null, "SIGTERM"]);
  assert.deepEqual(lines, ["ending what a killed start left: gateway"]);
  assert.equal(readPrivateJson(join(folder, "platform.json")), undefined);
  record.release();
});
