import { mapValues, type Sample, type ScenarioSamples } from "./measure.ts";

/** What a scenario came to: each figure is the median of all rounds of all launches. */
export interface Figures extends Sample {
  readonly name: string;
  readonly title: string;
  /** The sum over the processes. */
  readonly totalCpuMs: number;
  /** The same in each round, to compare what was measured at the same time. */
  readonly totalCpuMsByRound: readonly number[];
  /** By process, over all its life: the most of all launches. */
  readonly peakRssMiB: Readonly<Record<string, number>>;
}

/** @param launches the same scenarios in each */
export function figuresOf(launches: readonly (readonly ScenarioSamples[])[]): Figures[] {
  const byName = Map.groupBy(launches.flat(), ({ name }) => name);
  return [...byName.values()].map(figuresOfScenario);
}

function figuresOfScenario(launches: readonly ScenarioSamples[]): Figures {
  const { name, title, peakRssMiB } = launches[0] as ScenarioSamples;
  const samples = launches.flatMap((launch) => launch.samples);
  const median = (read: (sample: Sample) => number) => medianOf(samples.map(read));
  const sum = ({ cpuMs }: Sample) => Object.values(cpuMs).reduce((total, ms) => total + ms, 0);
  const peakOf = (process: string) =>
    Math.max(...launches.map((launch) => launch.peakRssMiB[process] ?? 0));
  return {
    name,
    title,
    requestsPerSecond: median((sample) => sample.requestsPerSecond),
    p50Ms: median((sample) => sample.p50Ms),
    p99Ms: median((sample) => sample.p99Ms),
    cpuMs: mapValues(peakRssMiB, (_, process) => median(({ cpuMs }) => cpuMs[process] ?? 0)),
    totalCpuMs: median(sum),
    totalCpuMsByRound: samples.map(sum),
    peakRssMiB: mapValues(peakRssMiB, (_, process) => peakOf(process)),
  };
}

/** The one in the middle; of an even number the mean of the two. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.slice((sorted.length - 1) >> 1, (sorted.length >> 1) + 1);
  return middle.reduce((sum, value) => sum + value, 0) / middle.length;
}
