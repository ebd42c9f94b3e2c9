import { setTimeout as sleep } from "node:timers/promises";
import { startPlatform } from "../dev/own-platform.ts";
import { startHops } from "./hop-scenarios.ts";
import { startLoadGenerator } from "./load/generator.ts";
import { type ScenarioSamples, sampleAll } from "./measure.ts";
import { type IdleFigures, type MemoryFigures, measureMemory, rssMiB, takenMiB } from "./memory.ts";
import type { Plan } from "./plan.ts";
import { pidsOf, platformScenarios, unhindered } from "./platform-scenarios.ts";
import type { Scenario } from "./scenario.ts";

/** What was measured from one start of all processes to their end. */
export interface Launch {
  readonly scenarios: readonly ScenarioSamples[];
  readonly idle: IdleFigures;
  /** Only of the last launch, and only if it reads orders. */
  readonly memory: MemoryFigures | undefined;
}

/** Starts the platform and the hops, measures all scenarios, and stops everything. */
export async function measureLaunch(
  plan: Plan,
  isLast: boolean,
  report: (line: string) => void,
): Promise<Launch> {
  const platform = await startPlatform(unhindered);
  try {
    await sleep(plan.pauseMs);
    const pids = pidsOf(await platform.now());
    const idle = { rssMiB: rssMiB(pids), takenMiB: takenMiB(pids) };
    const hops = await startHops();
    const load = await startLoadGenerator();
    const all = chosen([...hops.scenarios, ...(await platformScenarios(platform))], plan);
    const scenarios = await sampleAll(all, load, plan, report);
    hops.stop();
    const reading = isLast ? all.find(({ name }) => name === "read-order") : undefined;
    if (reading) report(`memory over ${plan.memoryRequests} requests`);
    const memory = reading && (await measureMemory(reading, load, plan));
    load.stop();
    return { scenarios, idle, memory };
  } finally {
    await platform.stop();
  }
}

/** @throws when a name is that of no scenario */
function chosen(scenarios: readonly Scenario[], { only }: Plan): readonly Scenario[] {
  const names = scenarios.map(({ name }) => name);
  const unknown = only?.filter((name) => !names.includes(name)) ?? [];
  if (unknown.length > 0) throw new Error(`no ${unknown.join(", ")} among ${names.join(", ")}`);
  return scenarios.filter(({ name }) => only?.includes(name) ?? true);
}
