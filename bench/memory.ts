import { setTimeout as sleep } from "node:timers/promises";
import type { LoadGenerator } from "./load/generator.ts";
import type { Plan } from "./plan.ts";
import { usageOf } from "./process-usage.ts";
import type { Scenario } from "./scenario.ts";

/** Memory of processes together, before and after many requests. */
export interface MemoryFigures {
  readonly requests: number;
  readonly beforeMiB: number;
  readonly afterMiB: number;
}

/** Memory of the platform's three processes together, before anybody has asked them anything. */
export interface IdleFigures {
  /** RSS, added up. */
  readonly rssMiB: number;
  /** What they take of the machine's RAM: pages that they share count once. */
  readonly takenMiB: number;
}

/** Bursts in which the requests come, with pauses in between. */
const bursts = 5;
const longestBurstMs = 30_000;

/** Whether requests leave memory behind. The scenario has been warmed up before. */
export async function measureMemory(
  scenario: Scenario,
  load: LoadGenerator,
  { memoryRequests, pauseMs }: Plan,
): Promise<MemoryFigures> {
  const pids = Object.values(scenario.processes);
  await sleep(pauseMs);
  const beforeMiB = rssMiB(pids);
  let requests = 0;
  for (let burst = 0; burst < bursts; burst++) {
    const maxRequests = memoryRequests / bursts;
    requests += (await load.run(scenario, { durationMs: longestBurstMs, maxRequests })).requests;
    await sleep(pauseMs);
  }
  return { requests, beforeMiB, afterMiB: rssMiB(pids) };
}

/** The RSS of processes, added up. Pages that they share count for each of them. */
export function rssMiB(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + usageOf(pid).rssMiB, 0);
}

/**
 * What processes of one program take of the machine's RAM: their own pages, and once the pages of the
 * program, which all of them map.
 */
export function takenMiB(pids: readonly number[]): number {
  const usages = pids.map(usageOf);
  const ownMiB = usages.reduce((sum, { rssMiB, sharedMiB }) => sum + rssMiB - sharedMiB, 0);
  return ownMiB + Math.max(...usages.map(({ sharedMiB }) => sharedMiB));
}
