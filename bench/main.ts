// What `npm run bench` does: measures the gRPC hop against others, and the platform as a whole; prints a
// table, writes figures and a chart, and exits with 1 when a goal is missed.

import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { chartOf } from "./chart.ts";
import { type Goal, goalsOf, isReached, type Results } from "./goals.ts";
import { startHops } from "./hop-scenarios.ts";
import { startLoadGenerator } from "./load/generator.ts";
import { measureAll } from "./measure.ts";
import { measureMemory, rssMiB, takenMiB } from "./memory.ts";
import { type Plan, readPlan } from "./plan.ts";
import { pidsOf, platformScenarios, unhindered } from "./platform-scenarios.ts";
import type { Scenario } from "./scenario.ts";
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

async function measure(plan: Plan): Promise<Results> {
  const platform = await startWarmPlatform(plan);
  try {
    await sleep(plan.pauseMs);
    const pids = pidsOf(await platform.now());
    const idle = { rssMiB: rssMiB(pids), takenMiB: takenMiB(pids) };
    const hops = await startHops();
    const load = await startLoadGenerator();
    const ownScenarios = await platformScenarios(platform);
    const all = chosen([...hops.scenarios, ...ownScenarios], plan);
    const scenarios = await measureAll(all, load, plan, say);
    hops.stop();
    const reading = all.find(({ name }) => name === "read-order");
    if (reading) say(`memory over ${plan.memoryRequests} requests`);
    const memory = reading && (await measureMemory(reading, load, plan));
    load.stop();
    return { scenarios, memory, idle };
  } finally {
    await platform.stop();
  }
}

/**
 * In a fresh clone the first start compiles TypeScript, and holds some 25 MiB for it in each process. Any
 * start after it finds the result, as images do.
 */
async function startWarmPlatform({ isDecisive }: Plan): Promise<Platform> {
  say("starting the platform");
  if (isDecisive) await (await startPlatform(unhindered)).stop();
  return await startPlatform(unhindered);
}

/** @throws when a name is that of no scenario */
function chosen(scenarios: readonly Scenario[], { only }: Plan): readonly Scenario[] {
  const names = scenarios.map(({ name }) => name);
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no ${unknown.join(", ")} among ${names.join(", ")}`);
  return scenarios.filter(({ name }) => only?.includes(name) ?? true);
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
