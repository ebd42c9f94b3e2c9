import { retryRules } from "./resilience-constants.ts";

/**
 * How long to pause before a retry, in milliseconds: full jitter over an exponential bound, so that
 * callers who failed together don't come back together (Brooker, "Exponential Backoff And Jitter").
 *
 * @param retry 0 for the first retry, 1 for the second ...
 * @param random a number in [0, 1).
 */
export function backoffMs(retry: number, random: number): number {
  return random * Math.min(retryRules.maxMs, retryRules.baseMs * 2 ** retry);
}
