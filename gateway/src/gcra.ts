/** How often something may happen. */
export interface Quota {
  /** How often at once, after a pause. */
  readonly burst: number;
  /** One more may happen each time this has passed, in milliseconds. */
  readonly emissionMs: number;
}

/** What a limiter says to one request. */
export interface Verdict {
  readonly allowed: boolean;
  /** How many more may come at once. */
  readonly remaining: number;
  /** When the next one may come, if this one may not. */
  readonly retryAfterMs: number;
  /** When the whole burst may come again. */
  readonly resetMs: number;
}

/**
 * `n` per minute: a fifth at once, the rest evenly over the minute, so that no 60 s ever see more
 * than `n`. The extra microsecond keeps a minute's first and last from counting as one more.
 */
export function quotaOf(perMinute: number): Quota {
  const burst = Math.max(1, Math.floor(perMinute / 5));
  const refills = Math.max(1, perMinute - burst);
  return { burst, emissionMs: 60_000 / refills + 0.001 };
}

/**
 * The generic cell rate algorithm (ITU-T I.371) as virtual scheduling.
 *
 * @param dueMs the theoretical arrival time that the last charge left, if there was one
 * @returns the verdict, and the time to keep
 */
export function charge(
  dueMs: number | undefined,
  nowMs: number,
  { burst, emissionMs }: Quota,
): { verdict: Verdict; dueMs: number } {
  const due = Math.max(dueMs ?? nowMs, nowMs);
  const next = due + emissionMs;
  const slack = nowMs - (next - emissionMs * burst);
  if (slack < 0) {
    const verdict = { allowed: false, remaining: 0, retryAfterMs: -slack, resetMs: due - nowMs };
    return { verdict, dueMs: due };
  }
  const remaining = Math.floor(slack / emissionMs);
  return {
    verdict: { allowed: true, remaining, retryAfterMs: 0, resetMs: next - nowMs },
    dueMs: next,
  };
}
