import type { LoadGenerator } from "./load/generator.ts";
import type { Plan } from "./plan.ts";
import { usageOf } from "./process-usage.ts";
import type { Scenario } from "./scenario.ts";

/** What a scenario came to in one round. */
export interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time a request, by process, in milliseconds. */
  readonly cpuMs: Readonly<Record<string, number>>;
}

/** What a scenario came to from one start of its processes to their end. */
export interface ScenarioSamples {
  readonly name: string;
  readonly title: string;
  /** One of each round. */
  readonly samples: readonly Sample[];
  /** By process, over all its life. */
  readonly peakRssMiB: Readonly<Record<string, number>>;
}

/** Warms all scenarios up, and lets them take turns. */
export async function sampleAll(
  scenarios: readonly Scenario[],
  load: LoadGenerator,
  plan: Plan,
  report: (line: string) => void,
): Promise<ScenarioSamples[]> {
  for (const scenario of scenarios) {
    report(`warming up: ${scenario.title}`);
    await load.run(scenario, { durationMs: plan.warmUpMs, maxRequests: plan.warmUpRequests });
  }
  const samples = new Map(scenarios.map((scenario) => [scenario, [] as Sample[]]));
  for (let round = 1; round <= plan.rounds; round++) {
    report(`round ${round} of ${plan.rounds}`);
    for (const [scenario, taken] of samples) taken.push(await sampleOf(scenario, load, plan));
  }
  return [...samples].map(([{ name, title, processes }, taken]) => ({
    name,
    title,
    samples: taken,
    peakRssMiB: mapValues(processes, (pid) => usageOf(pid).peakRssMiB),
  }));
}

async function sampleOf(
  scenario: Scenario,
  load: LoadGenerator,
  { runInMs, sampleMs }: Plan,
): Promise<Sample> {
  await load.run(scenario, { durationMs: runInMs });
  const cpuMs = () => mapValues(scenario.processes, (pid) => usageOf(pid).cpuMs);
  const before = cpuMs();
  const { requests, seconds, p50Ms, p99Ms } = await load.run(scenario, { durationMs: sampleMs });
  const after = cpuMs();
  const perRequest = (name: string) => ((after[name] ?? 0) - (before[name] ?? 0)) / requests;
  return {
    requestsPerSecond: requests / seconds,
    p50Ms,
    p99Ms,
    cpuMs: mapValues(before, (_, name) => perRequest(name)),
  };
}

/** The same names with other values. */
export function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, change(value, name)]),
  );
}
