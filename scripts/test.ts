// What `npm test` does: checks the sources, then runs the unit tests, then the end-to-end stories.
// `npm test -- FILE …` runs just these test files.

import { globSync } from "node:fs";
import { join } from "node:path";
import { makeReadyCluster } from "../dev/ready-cluster.ts";
import { testFolder } from "../dev/test-folder.ts";
import { checks, runChecks } from "./checks.ts";
import { root, run } from "./run.ts";
import { startTestStores } from "./test-stores.ts";

const startedAt = performance.now();
const chosen = process.argv.slice(2);
const files = chosen.length > 0 ? chosen : testFiles();
const isStory = (file: string) => file.startsWith("e2e/");
const counts = { passed: 0, failed: 0 };
// The folder goes when the process exits, which a signal alone would not let it do.
for (const [signal, number] of [["SIGINT", 2] as const, ["SIGTERM", 15] as const])
  process.once(signal, () => process.exit(128 + number));
const folder = testFolder();
const ready = join(folder, "ready");

if (chosen.length === 0) await checkAll();
await makeReadyCluster(ready, AbortSignal.timeout(300_000));
await testAll(
  files.filter((file) => !isStory(file)),
  "unit tests",
);
await testAll(files.filter(isStory), "end-to-end stories");

const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
say(`\nin ${seconds} s:\n${counts.passed} passed, ${counts.failed} failed`);
process.exitCode = counts.failed > 0 ? 1 : 0;

function testFiles(): string[] {
  return globSync(
    "{gen/client,kit,gateway,user-service,order-service,web,dev,scripts,e2e}/**/*.test.ts",
    {
      cwd: root,
      exclude: ["**/node_modules/**"],
    },
  ).sort();
}

async function checkAll(): Promise<void> {
  say("checks");
  const failed = await runChecks(checks, say);
  counts.failed += failed;
  counts.passed += checks.length - failed;
}

async function testAll(some: readonly string[], what: string): Promise<void> {
  if (some.length === 0) return;
  say(`\n${what}`);
  const stores = some.every(isStory)
    ? undefined
    : await startTestStores(join(folder, "stores"), ready);
  const flags = ["--test", "--test-concurrency=2", "--test-reporter=spec", "--test-timeout=300000"];
  const output = await run(process.execPath, [...flags, ...some], {
    env: {
      ...stores?.env,
      TEST_READY_CLUSTER: ready,
      // What Node.js has compiled once: a test file starts in half the time.
      NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
      FORCE_COLOR: process.stdout.isTTY ? "1" : "0",
    },
    onOutput: (text) => void process.stdout.write(text),
    timeoutMs: 1_800_000,
  }).catch((error: Error) => error.message);
  await stores?.stop();
  counts.passed += sum(output, "pass");
  counts.failed += sum(output, "fail") + sum(output, "cancelled");
}

/** The runner's own count, from the end of its report. */
function sum(output: string, kind: string): number {
  const [, count] = new RegExp(`ℹ ${kind} (\\d+)(?![\\s\\S]*ℹ ${kind} )`).exec(output) ?? [];
  if (count === undefined)
    throw new Error(`the test runner did not say how many ${kind}:\n${output}`);
  return Number(count);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
