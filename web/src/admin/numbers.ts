/** Sums a series up. */
export function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

/** The latest value of a series; 0 without any. */
export function lastOf(values: readonly number[]): number {
  return values.at(-1) ?? 0;
}

/** A duration as short as it can be said: `3.2 ms`, `140 ms`, `1.2 s`. */
export function formatMs(ms: number): string {
  if (ms === 0) return "–";
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return `${ms >= 10 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** A share of 1 in percent. */
export function formatShare(share: number): string {
  const percent = share * 100;
  return `${percent > 0 && percent < 10 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** A count over the samples as a rate. */
export function formatRate(values: readonly number[], sampleSeconds: number): string {
  const seconds = values.length * sampleSeconds;
  const rate = seconds > 0 ? sumOf(values) / seconds : 0;
  if (rate > 0 && rate < 0.1) return "< 0.1/s";
  return `${rate >= 10 || rate === 0 ? Math.round(rate) : rate.toFixed(1)}/s`;
}
