import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { identify, isAlive } from "./process-identity.ts";
import { testFolder } from "./test-folder.ts";
import { waitUntil } from "./wait.ts";

/** Starts two processes and a guard for them, tells their pids, and waits. */
const launcher = `
  import { spawn } from "node:child_process";
  import { startGuard } from ${JSON.stringify(join(import.meta.dirname, "guard.ts"))};
  const options = { stdio: "ignore", detached: true };
  const [service, store] = [1, 2].map(() => spawn("sleep", ["60"], options).pid);
  startGuard(process.env.PLATFORM_FILE).watch({ services: [service], stores: [store] });
  console.log(JSON.stringify([service, store]));
  setInterval(() => {}, 1000);
`;

test("when the launcher is killed, what it had started ends too", async () => {
  const platformFile = join(testFolder(), "platform.json");
  writeFileSync(platformFile, "{}");
  const child = spawn(process.execPath, ["--input-type=module", "-e", launcher], {
    env: { ...process.env, PLATFORM_FILE: platformFile },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = await once(child.stdout, "data");
  const started = (JSON.parse(String(line)) as number[]).flatMap((pid) => identify(pid) ?? []);
  assert.equal(started.length, 2);
  child.kill("SIGKILL");
  const options = { what: "their end", deadlineMs: 10_000, signal: new AbortController().signal };
  await waitUntil(() => !started.some(isAlive), options);
  assert.equal(existsSync(platformFile), false);
});
