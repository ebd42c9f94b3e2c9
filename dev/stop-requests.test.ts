import assert from "node:assert/strict";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { testFolder } from "./test-folder.ts";

const script = `
  import { stopRequests } from ${JSON.stringify(join(import.meta.dirname, "stop-requests.ts"))};
  const { stop, hurry } = stopRequests(process);
  stop.addEventListener("abort", () => { console.log("stop"); setTimeout(() => console.log("later"), 700); });
  hurry.addEventListener("abort", () => { console.log("hurry"); process.exit(); });
  setTimeout(() => process.exit(), 20_000);
  console.log("up");
`;

async function start(t: TestContext) {
  const file = join(testFolder(), "script.mjs");
  writeFileSync(file, script);
  const child = fork(file, { stdio: ["ignore", "pipe", "inherit", "ipc"] });
  t.after(() => child.kill("SIGKILL"));
  const lines = createInterface({ input: child.stdout as NonNullable<ChildProcess["stdout"]> });
  const said = lines[Symbol.asyncIterator]();
  const next = async () => (await said.next()).value as string | undefined;
  assert.equal(await next(), "up");
  return { child, next };
}

test("a Ctrl-C that arrives twice at once stops; one that comes later hurries", async (t) => {
  const { child, next } = await start(t);
  child.kill("SIGINT");
  assert.equal(await next(), "stop");
  child.kill("SIGINT");
  assert.equal(await next(), "later");
  child.kill("SIGINT");
  assert.equal(await next(), "hurry");
});

test("the death of who holds the other end of the channel is a request to stop", async (t) => {
  const { child, next } = await start(t);
  child.disconnect();
  assert.equal(await next(), "stop");
  child.kill("SIGKILL");
  await once(child, "exit");
});
