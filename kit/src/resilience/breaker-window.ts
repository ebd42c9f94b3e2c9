import { breakerRules } from "./resilience-constants.ts";

const { bucketMs, buckets } = breakerRules;

/** Calls that ended, with how many of them failed and how many were slow. */
export interface Counts {
  readonly calls: number;
  readonly failures: number;
  readonly slow: number;
}

/** The counts of the last ten seconds, a bucket a second, the oldest first. Never changed in place. */
export type Window = readonly (Counts & { readonly index: number })[];

/** A window in which nothing happened. */
export const emptyWindow: Window = [];

/** The window after one more call, without the buckets that are too old. */
export function withCall(window: Window, atMs: number, failed: boolean, slow: boolean): Window {
  const index = indexAt(atMs);
  const kept = window.filter((bucket) => isLive(bucket.index, index));
  const last = kept.at(-1);
  const open = last?.index === index ? kept.pop() : undefined;
  const calls = (open?.calls ?? 0) + 1;
  const failures = (open?.failures ?? 0) + (failed ? 1 : 0);
  kept.push({ index, calls, failures, slow: (open?.slow ?? 0) + (slow ? 1 : 0) });
  return kept;
}

/** What the window holds at a time. */
export function totals(window: Window, atMs: number): Counts {
  let calls = 0;
  let failures = 0;
  let slow = 0;
  for (const bucket of window) {
    if (!isLive(bucket.index, indexAt(atMs))) continue;
    calls += bucket.calls;
    failures += bucket.failures;
    slow += bucket.slow;
  }
  return { calls, failures, slow };
}

function indexAt(atMs: number): number {
  return Math.floor(atMs / bucketMs);
}

function isLive(index: number, current: number): boolean {
  return index > current - buckets;
}
