import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ManagedProcess, manageProcess, type ProcessOptions } from "./process.ts";
import { testFolder } from "./test-folder.ts";
import { waitUntil } from "./wait.ts";

const { signal } = new AbortController();
const wait = { deadlineMs: 10_000, signal };
/** Says in a file that it is up, and stays. */
const stay = 'fs.writeFileSync(process.env.UP, "up"); setInterval(() => {}, 1000);';

function manage(t: TestContext, script: string, more: Partial<ProcessOptions> = {}) {
  const up = join(testFolder(), "up");
  const lines: string[] = [];
  const managed = manageProcess(
    {
      name: "thing",
      role: "service",
      command: process.execPath,
      args: ["-e", script],
      env: { UP: up },
      logFile: `${up}.log`,
      stopSignal: "SIGTERM",
      killAfterMs: 10_000,
      ...more,
    },
    { changed() {}, report: (line) => lines.push(line) },
  );
  t.after(() => managed.stop());
  return {
    managed,
    lines,
    up,
    isUp: async () => existsSync(up),
    log: () => readFileSync(`${up}.log`, "utf8"),
  };
}

function until(what: string, look: () => boolean) {
  return waitUntil(look, { ...wait, what });
}

function isGone({ lastPid }: ManagedProcess): boolean {
  try {
    process.kill(lastPid ?? 0, 0);
    return false;
  } catch {
    return true;
  }
}

test("a process that dies is started again, with another pid", async (t) => {
  const { managed, lines, isUp } = manage(t, stay);
  await managed.start(isUp, wait);
  const first = managed.pid;
  process.kill(first ?? 0, "SIGKILL");
  await until("the second life", () => managed.pid !== null && managed.pid !== first);
  assert.deepEqual(lines, ["thing ended with SIGKILL; starting it again in 1 s"]);
});

test("a process that dies before it is ready is not, and its last words are told", async (t) => {
  const { managed } = manage(t, 'console.error("no settings"); process.exit(3)');
  await assert.rejects(
    managed.start(async () => false, wait),
    {
      name: "StartError",
      message: "thing ended with exit code 3 before it was ready:\nno settings",
    },
  );
  assert.equal(managed.pid, null);
});

test("a program that is not there is told of", async (t) => {
  const { managed } = manage(t, "", { command: "/no/such/program" });
  await assert.rejects(
    managed.start(async () => false, wait),
    /cannot be started: .*ENOENT/,
  );
});

test("a stop asks first, and kills who does not listen", async (t) => {
  const deaf = `process.on("SIGTERM", () => console.log("no")); ${stay}`;
  const { managed, lines, isUp, log } = manage(t, deaf, { killAfterMs: 100 });
  await managed.start(isUp, wait);
  await managed.stop();
  assert.equal(isGone(managed), true);
  assert.deepEqual(lines, ["thing did not stop within 0.1 s: killed"]);
  assert.equal(log(), "no\n");
});

test("a stop during the start leaves nothing behind", async (t) => {
  const { managed } = manage(t, stay);
  const start = managed.start(async () => false, wait);
  await Promise.all([managed.stop(), assert.rejects(start, /SIGTERM before it was ready/)]);
  assert.equal(isGone(managed), true);
});

test("who is in a hurry does not wait for the drain", async (t) => {
  const { managed, isUp } = manage(t, `process.on("SIGTERM", () => {}); ${stay}`);
  await managed.start(isUp, wait);
  const stopped = managed.stop();
  managed.hurry();
  await stopped;
  assert.equal(isGone(managed), true);
});

test("its input is not among its arguments, and it does not get our environment", async (t) => {
  const script = `process.stdin.on("data", (text) => console.log(String(text), Object.keys(process.env))); ${stay}`;
  const { managed, isUp, log } = manage(t, script, { input: "a secret" });
  await managed.start(isUp, wait);
  await until("its words", () => log() !== "");
  assert.equal(log(), "a secret [ 'UP' ]\n");
});
