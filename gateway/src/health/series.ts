import { metricKey } from "./reading.ts";
import type { Sample } from "./samples.ts";

/** A value of a metric: its name and labels. */
type Metric = readonly [name: string, labels?: Readonly<Record<string, string>>];

/** Reads the samples of one metric after the other. */
export interface Series {
  /** How much some counters rose in each sample, taken together. */
  rises(...counters: readonly Metric[]): number[];
  /** What a gauge said at the end of each sample. */
  levels(...gauge: Metric): number[];
  /** What a gauge said last. */
  last(...gauge: Metric): number;
}

/** @param samples the oldest first. The first one is only where the series begin. */
export function seriesOf(samples: readonly Sample[]): Series {
  const at = (sample: Sample | undefined, [name, labels]: Metric) =>
    sample?.values.get(metricKey(name, labels)) ?? 0;
  return {
    rises: (...counters) =>
      samples.slice(1).map((sample, index) => {
        const rise = (counter: Metric) => at(sample, counter) - at(samples[index], counter);
        return counters.reduce((total, counter) => total + rise(counter), 0);
      }),
    levels: (...gauge) => samples.slice(1).map((sample) => at(sample, gauge)),
    last: (...gauge) => at(samples.at(-1), gauge),
  };
}
