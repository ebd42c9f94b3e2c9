// What `npm run bench` does: measures the gRPC hop against others, and the platform as a whole; prints a
// table, writes figures and a chart, and exits with 1 when a goal is missed.

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { startPlatform } from "../dev/own-platform.ts";
import { chartOf } from "./chart.ts";
import { figuresOf, medianOf } from "./figures.ts";
import { type Goal, goalsOf, isReached, type Results } from "./goals.ts";
import { type Launch, measureLaunch } from "./launch.ts";
import { type Plan, readPlan } from "./plan.ts";
import { unhindered } from "./platform-scenarios.ts";
import { figuresTable, goalsTable } from "./table.ts";

const say = (line: string) => void process.stdout.write(`${line}\n`);

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
}

async function main(): Promise<number> {
  const plan = readPlan(process.argv.slice(2));
  const results = await measure(plan);
  const goals = goalsOf(results);
  say(`\n${figuresTable(results.scenarios)}\n\n${goalsTable(goals)}`);
  save(plan, results, goals);
  const isMissed = goals.some((goal) => goal.isDecisive && !isReached(goal));
  return plan.isDecisive && isMissed ? 1 : 0;
}

/** Starts everything as often as the plan says, since one start of the same code is faster than another. */
async function measure(plan: Plan): Promise<Results> {
  if (plan.isDecisive) await compileAll();
  const launches: Launch[] = [];
  while (launches.length < plan.launches) {
    const number = launches.length + 1;
    say(`launch ${number} of ${plan.launches}`);
    launches.push(await measureLaunch(plan, number === plan.launches, say));
  }
  return {
    scenarios: figuresOf(launches.map(({ scenarios }) => scenarios)),
    memory: launches.at(-1)?.memory,
    idle: {
      rssMiB: medianOf(launches.map(({ idle }) => idle.rssMiB)),
      takenMiB: medianOf(launches.map(({ idle }) => idle.takenMiB)),
    },
  };
}

/**
 * In a fresh clone the first start compiles TypeScript, and holds some 25 MiB for it in each process. Any
 * start after it finds the result, as images do.
 */
async function compileAll(): Promise<void> {
  say("starting the platform once");
  await (await startPlatform(unhindered)).stop();
}

function save(plan: Plan, results: Results, goals: readonly Goal[]): void {
  const { folder } = plan;
  const conditions = { node: process.version, cores: availableParallelism(), plan };
  mkdirSync(folder, { recursive: true });
  const json = JSON.stringify({ ...conditions, ...results, goals }, null, 2);
  writeFileSync(join(folder, "performance.json"), `${json}\n`);
  // Logging in takes fifty times as long, and nearly all of it is the password's hash.
  const comparable = results.scenarios.filter(({ name }) => name !== "log-in");
  const chart = chartOf(comparable, "CPU milliseconds a request");
  writeFileSync(join(folder, "performance.svg"), chart);
  say(`\nfigures and chart are in ${folder}`);
}
