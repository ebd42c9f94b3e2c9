/** So many traces begin in a second at most: enough to look at, whatever the load, and next to nothing to pay. */
const tracesPerSecond = 10;

/**
 * Decides which requests begin a trace, when nobody before them has decided: all of them as long as
 * they are few, and so many a second when they are not. A share would show nothing of a quiet
 * platform, or cost a busy one too much.
 *
 * @param now a monotonic clock in milliseconds
 */
export function createRootSampling(now: () => number): () => boolean {
  let tokens = tracesPerSecond;
  let countedAt = now();
  return () => {
    const at = now();
    tokens = Math.min(tracesPerSecond, tokens + ((at - countedAt) / 1000) * tracesPerSecond);
    countedAt = at;
    if (tokens < 1) return false;
    tokens -= 1;
    return true;
  };
}
