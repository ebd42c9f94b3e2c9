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

/** What a scenario came to: each figure is the median of the rounds. */
export interface Figures extends Sample {
  readonly name: string;
  readonly title: string;
  /** The sum over the processes. */
  readonly totalCpuMs: number;
  /** The same in each round, to compare what was measured at the same time. */
  readonly totalCpuMsByRound: readonly number[];
  /** By process, over all its life. */
  readonly peakRssMiB: Readonly<Record<string, number>>;
}

/** Warms all scenarios up, and lets them take turns. */
export async function measureAll(
  scenarios: readonly Scenario[],
  load: LoadGenerator,
  plan: Plan,
  report: (line: string) => void,
): Promise<Figures[]> {
  for (const scenario of scenarios) {
    report(`warming up: ${scenario.title}`);
    await load.run(scenario, { durationMs: plan.warmUpMs, maxRequests: plan.warmUpRequests });
  }
  const samples = new Map(scenarios.map((scenario) => [scenario, [] as Sample[]]));
  for (let round = 1; round <= plan.rounds; round++) {
    report(`round ${round} of ${plan.rounds}`);
    for (const [scenario, taken] of samples) taken.push(await sampleOf(scenario, load, plan));
  }
  return [...samples].map(([scenario, taken]) => figuresOf(scenario, taken));
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

function figuresOf({ name, title, processes }: Scenario, samples: readonly Sample[]): Figures {
  const median = (read: (sample: Sample) => number) => medianOf(samples.map(read));
  const sum = ({ cpuMs }: Sample) => Object.values(cpuMs).reduce((total, ms) => total + ms, 0);
  return {
    name,
    title,
    requestsPerSecond: median((sample) => sample.requestsPerSecond),
    p50Ms: median((sample) => sample.p50Ms),
    p99Ms: median((sample) => sample.p99Ms),
    cpuMs: mapValues(processes, (_, process) => median(({ cpuMs }) => cpuMs[process] ?? 0)),
    totalCpuMs: median(sum),
    totalCpuMsByRound: samples.map(sum),
    peakRssMiB: mapValues(processes, (pid) => usageOf(pid).peakRssMiB),
  };
}

/** The one in the middle; of an even number the mean of the two. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}

function mapValues<T>(
  record: Readonly<Record<string, T>>,
  change: (value: T, name: string) => number,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, change(value, name)]),
  );
}
