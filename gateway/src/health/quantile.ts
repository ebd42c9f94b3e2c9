/** Observations by size: how many were at most as large as each bound, the last one being infinite. */
export interface Buckets {
  /** Ascending; the last is `Infinity`. */
  readonly bounds: readonly number[];
  /** As many as bounds, each including those before. */
  readonly counts: readonly number[];
}

/**
 * An estimate of the value that a share of the observations does not exceed, as PromQL's
 * `histogram_quantile` gives it: even within a bucket, and the largest finite bound at most. 0 without
 * observations.
 */
export function quantileOf({ bounds, counts }: Buckets, share: number): number {
  const rank = share * (counts.at(-1) ?? 0);
  if (rank === 0) return 0;
  const index = counts.findIndex((count) => count >= rank);
  const lower = bounds[index - 1] ?? 0;
  const upper = bounds[index] ?? 0;
  if (upper === Number.POSITIVE_INFINITY) return lower;
  const below = counts[index - 1] ?? 0;
  const inside = (counts[index] ?? 0) - below;
  return lower + ((upper - lower) * (rank - below)) / inside;
}
