// What `npm test` does: checks the sources, then runs the unit tests, then the end-to-end stories.
// `npm test -- FILE …` runs just these test files.

import { globSync } from "node:fs";
import { join } from "node:path";
import { makeReadyCluster } from "../dev/ready-cluster.ts";
import { testFolder } from "../dev/test-folder.ts";
import { checks, runChecks } from "./checks.ts";
import { heavyStories, loneStories } from "./heavy-stories.ts";
import { root } from "./run.ts";
import { runTests, type TestCounts, type TestLane } from "./run-tests.ts";
import { startTestStores } from "./test-stores.ts";

const startedAt = performance.now();
const chosen = process.argv.slice(2);
const unknown = chosen.filter((file) => globSync(file).length === 0);
if (unknown.length > 0) {
  process.stderr.write(`there is no test file ${unknown.join(", ")}\n`);
  process.exit(2);
}
const files = chosen.length > 0 ? chosen : testFiles();
const isStory = (file: string) => file.startsWith("e2e/");
const isHeavy = (file: string) => heavyStories.includes(file);
const isLone = (file: string) => loneStories.includes(file);
const counts = { passed: 0, failed: 0, skipped: 0 };
// The folder goes when the process exits, which a signal alone would not let it do.
for (const [signal, number] of [["SIGINT", 2] as const, ["SIGTERM", 15] as const])
  process.once(signal, () => process.exit(128 + number));
const folder = testFolder();
const ready = join(folder, "ready");

if (chosen.length === 0) await checkAll();
await makeReadyCluster(ready, AbortSignal.timeout(300_000));
await testUnits(files.filter((file) => !isStory(file)));
await testStories(files.filter(isStory));

const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped for want of what they name` : "";
say(`\nin ${seconds} s:\n${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 ? 1 : 0;

function testFiles(): string[] {
  const found = globSync(
    "{gen/client,kit,gateway,user-service,order-service,web,dev,scripts,e2e}/**/*.test.ts",
    {
      cwd: root,
      exclude: ["**/node_modules/**"],
    },
  ).sort();
  const gone = [...heavyStories, ...loneStories].filter((story) => !found.includes(story));
  if (gone.length > 0) throw new Error(`scripts/heavy-stories.ts names what is gone: ${gone}`);
  return found;
}

async function checkAll(): Promise<void> {
  say("checks");
  const failed = await runChecks(checks, say);
  count({ passed: checks.length - failed, failed, skipped: 0 });
}

async function testUnits(units: readonly string[]): Promise<void> {
  if (units.length === 0) return;
  say("\nunit tests");
  const stores = await startTestStores(join(folder, "stores"), ready);
  await testAll([{ files: units, concurrency: 2 }], stores.env);
  await stores.stop();
}

async function testStories(stories: readonly string[]): Promise<void> {
  if (stories.length === 0) return;
  say("\nend-to-end stories");
  await testAll([
    { files: stories.filter((story) => !isHeavy(story) && !isLone(story)), concurrency: 2 },
    { files: stories.filter(isHeavy), concurrency: 1 },
  ]);
  await testAll([{ files: stories.filter(isLone), concurrency: 1 }]);
}

async function testAll(
  lanes: readonly TestLane[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  count(await runTests(lanes, { ...env, TEST_READY_CLUSTER: ready }, (text) => say(text, "")));
}

function count({ passed, failed, skipped }: TestCounts): void {
  counts.passed += passed;
  counts.failed += failed;
  counts.skipped += skipped;
}

function say(text: string, end = "\n"): void {
  process.stdout.write(text + end);
}
