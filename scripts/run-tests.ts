import { join } from "node:path";
import { root, run } from "./run.ts";

/** Longer than the longest test file by far, on a slow machine as well. */
const timeoutMs = 1_800_000;

/** Test files that run side by side. */
export interface TestLane {
  readonly files: readonly string[];
  /** How many files run at a time. */
  readonly concurrency: number;
}

/** How many tests there were. */
export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Runs test files, and all lanes at the same time. What each lane prints comes in one piece, in the order
 * of the lanes.
 *
 * @param env added to the environment of the tests
 */
export async function runTests(
  lanes: readonly TestLane[],
  env: Readonly<Record<string, string>>,
  print: (text: string) => void,
): Promise<TestCounts> {
  let before: Promise<unknown> = Promise.resolve();
  const counts = lanes
    .filter(({ files }) => files.length > 0)
    .map((lane) => {
      const result = runLane(lane, env, printInTurn(before, print));
      before = Promise.all([before, result]);
      return result;
    });
  const all = await Promise.all(counts);
  const total = (kind: keyof TestCounts) => all.reduce((sum, each) => sum + each[kind], 0);
  return { passed: total("passed"), failed: total("failed"), skipped: total("skipped") };
}

async function runLane(
  { files, concurrency }: TestLane,
  env: Readonly<Record<string, string>>,
  onOutput: (text: string) => void,
): Promise<TestCounts> {
  // A test that times out may leave something open, which would keep its file from ending.
  const flags = ["--test-reporter=spec", "--test-timeout=300000", "--test-force-exit"];
  const command = ["--test", `--test-concurrency=${concurrency}`, ...flags, ...files];
  const options = {
    env: {
      ...env,
      // What Node.js has compiled once: a test file starts in half the time.
      NODE_COMPILE_CACHE: join(root, "node_modules/.cache/node"),
      FORCE_COLOR: process.stdout.isTTY ? "1" : "0",
    },
    onOutput,
    timeoutMs,
  };
  const output = await run(process.execPath, command, options).catch((error) => error.message);
  const kinds = ["pass", "fail", "cancelled", "skipped"];
  const [passed, failed, cancelled, skipped] = kinds.map(countIn(output));
  if (
    passed === undefined ||
    failed === undefined ||
    cancelled === undefined ||
    skipped === undefined
  ) {
    onOutput(
      `✖ the test runner ended without its report (after ${timeoutMs / 60_000} min it is ended)\n`,
    );
    return { passed: 0, failed: 1, skipped: 0 };
  }
  return { passed, failed: failed + cancelled, skipped };
}

/** Keeps what is to be printed until others are done. */
function printInTurn(
  others: Promise<unknown>,
  print: (text: string) => void,
): (text: string) => void {
  let kept: string[] | undefined = [];
  const release = () => {
    for (const text of kept ?? []) print(text);
    kept = undefined;
  };
  others.then(release, release);
  return (text) => {
    if (kept === undefined) print(text);
    else kept.push(text);
  };
}

/** The runner's own counts, from the end of its report. */
function countIn(output: string): (kind: string) => number | undefined {
  return (kind) => {
    const last = output.lastIndexOf(`ℹ ${kind} `);
    return last < 0 ? undefined : Number.parseInt(output.slice(last + kind.length + 3), 10);
  };
}
