import type { Redis } from "ioredis";
import { charge, type Quota, type Verdict } from "./gcra.ts";
import { createLimitScript } from "./limit-script.ts";
import { limiterLocalKeys, limiterProbeMs, limiterTimeoutMs } from "./limits.ts";

/** Counts what the limits limit. Never fails. */
export interface LimitCounter {
  charge(key: string, quota: Quota): Promise<Verdict>;
}

export interface LimitCounterOptions {
  /** A connection that fails fast. */
  readonly redis: Redis;
  /** In front of every key. Default `limit:`. */
  readonly keyPrefix?: string;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** Called for each verdict that this process gave alone, since Redis was away. */
  readonly onFallback?: () => void;
}

/**
 * Counts in Redis for all gateways together, and in this process as well: when Redis is away, what
 * has been counted here decides, at once and with a memory of the last minute. Redis is then tried
 * again once a second.
 */
export function createLimitCounter(options: LimitCounterOptions): LimitCounter {
  const { redis, keyPrefix = "limit:", now, onFallback = () => {} } = options;
  const inRedis = createLimitScript(redis);
  const local = createLocalCounter(now);
  let awayUntilMs = Number.NEGATIVE_INFINITY;
  /** How far the clock of Redis is ahead of ours, once an answer has told. */
  let offsetUs: number | undefined;

  const deadlineUs = () =>
    offsetUs === undefined ? 0 : Math.ceil((now() + limiterTimeoutMs) * 1000 + offsetUs);

  return {
    async charge(key, quota) {
      const verdict = local(key, quota);
      if (now() < awayUntilMs) {
        onFallback();
        return verdict;
      }
      try {
        const answer = await within(
          limiterTimeoutMs,
          inRedis(keyPrefix + key, quota, deadlineUs()),
        );
        offsetUs = answer.redisTimeUs - now() * 1000;
        return answer.verdict ?? verdict;
      } catch {
        awayUntilMs = now() + limiterProbeMs;
        onFallback();
        return verdict;
      }
    },
  };
}

function within<T>(timeoutMs: number, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("too late")), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function createLocalCounter(now: () => number): (key: string, quota: Quota) => Verdict {
  const due = new Map<string, number>();
  return (key, quota) => {
    const { verdict, dueMs } = charge(due.get(key), now(), quota);
    due.delete(key);
    due.set(key, dueMs);
    if (due.size > limiterLocalKeys) due.delete(due.keys().next().value as string);
    return verdict;
  };
}
