import { batched } from "@3l1/kit/batch.ts";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { charge, type Quota, type Verdict } from "./gcra.ts";
import { type Charge, createLimitScript } from "./limit-script.ts";
import {
  limiterClockMs,
  limiterKeysAtOnce,
  limiterLocalKeys,
  limiterProbeMs,
  limiterTimeoutMs,
} from "./limits.ts";

/** Counts what the limits limit. Never fails. */
export interface LimitCounter {
  charge(key: string, quota: Quota): Promise<Verdict>;
}

export interface LimitCounterOptions {
  /** A connection that fails fast. */
  readonly redis: RedisClient;
  /** In front of every key. Default `limit:`. */
  readonly keyPrefix?: string;
  /** A monotonic clock in milliseconds. */
  readonly now: () => number;
  /** How long Redis may take to answer. Default {@link limiterTimeoutMs}. */
  readonly timeoutMs?: number;
  /** Called for each verdict that this process gave alone, since Redis was away. */
  readonly onFallback?: () => void;
}

/**
 * Counts in Redis for all gateways together, and in this process as well: when Redis is away, what
 * has been counted here decides, at once and with a memory of the last minute. Redis is then tried
 * again once a second, by a charge that does not wait for it. Charges of one turn of the event loop share
 * a round trip.
 */
export function createLimitCounter(options: LimitCounterOptions): LimitCounter {
  const { redis, keyPrefix = "limit:", now, onFallback = () => {} } = options;
  const { timeoutMs = limiterTimeoutMs } = options;
  const inRedis = createLimitScript(redis);
  const local = createLocalCounter(now);
  const redisClock = followRedisClock();
  let isAway = false;
  let probeAtMs = Number.NEGATIVE_INFINITY;

  /** What Redis says; nothing when that comes too late, or not at all. */
  async function askForAll(charges: readonly Charge[]): Promise<readonly Verdict[]> {
    try {
      const sentMs = now();
      const asked = inRedis(charges, redisClock.at(sentMs + timeoutMs));
      const { redisTimeUs, verdicts } = await within(timeoutMs, asked, now);
      redisClock.heard(redisTimeUs, sentMs, now());
      isAway = false;
      return verdicts;
    } catch {
      isAway = true;
      probeAtMs = now() + limiterProbeMs;
      return [];
    }
  }
  const askTogether = batched<Charge, Verdict | undefined>(limiterKeysAtOnce, askForAll);
  const ask = (key: string, quota: Quota) => askTogether({ key: keyPrefix + key, quota });

  function probe(key: string, quota: Quota): void {
    if (now() < probeAtMs) return;
    probeAtMs = now() + limiterProbeMs;
    void ask(key, quota);
  }

  return {
    async charge(key, quota) {
      const verdict = local(key, quota);
      if (isAway) probe(key, quota);
      const answer = isAway ? undefined : await ask(key, quota);
      if (answer === undefined) onFallback();
      return answer ?? verdict;
    },
  };
}

/**
 * Learns how far the clock of Redis is ahead of ours, from the fastest answer of late. Counted from when
 * the command was sent: a busy process reads an answer long after, and would take Redis to be behind.
 */
function followRedisClock() {
  let best: { aheadUs: number; tookMs: number; sentMs: number } | undefined;
  return {
    /** Our time on the clock of Redis, in microseconds; 0 while unknown. */
    at: (ms: number) => (best === undefined ? 0 : Math.ceil(ms * 1000 + best.aheadUs)),
    heard(redisTimeUs: number, sentMs: number, heardMs: number): void {
      const tookMs = heardMs - sentMs;
      const isOld = best !== undefined && sentMs - best.sentMs > limiterClockMs;
      if (best === undefined || isOld || tookMs <= best.tookMs)
        best = { aheadUs: redisTimeUs - sentMs * 1000, tookMs, sentMs };
    },
  };
}

/**
 * A busy process is late itself: its timers count from when it last looked at the clock, and come
 * before the answers that wait to be read. So it looks at the clock, and then once more for an answer.
 */
function within<T>(timeoutMs: number, promise: Promise<T>, now: () => number): Promise<T> {
  return new Promise((resolve, reject) => {
    const untilMs = now() + timeoutMs;
    const tooLate = () => {
      const leftMs = untilMs - now();
      if (leftMs > 0) timer = setTimeout(tooLate, leftMs);
      else setImmediate(() => reject(new Error("too late")));
    };
    let timer = setTimeout(tooLate, timeoutMs);
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
