import { concurrencyRules as rules } from "./resilience-constants.ts";

/**
 * The least latency of a method in the last 30 to 60 s. In a crowd it may fall but is not forgotten: else
 * a queue that stands long enough would become the usual thing.
 */
class Baseline {
  #current: number;
  #previous = Number.POSITIVE_INFINITY;
  #sinceMs: number;

  constructor(latencyMs: number, nowMs: number) {
    this.#current = latencyMs;
    this.#sinceMs = nowMs;
  }

  get leastMs(): number {
    return Math.min(this.#current, this.#previous);
  }

  add(latencyMs: number, nowMs: number, crowded: boolean): void {
    const ageMs = nowMs - this.#sinceMs;
    if (crowded || ageMs < rules.baselineMs) {
      this.#current = Math.min(this.#current, latencyMs);
      return;
    }
    this.#previous = ageMs < 2 * rules.baselineMs ? this.#current : Number.POSITIVE_INFINITY;
    this.#current = latencyMs;
    this.#sinceMs = nowMs;
  }
}

/**
 * How many calls an upstream takes at once, found out by additive increase and multiplicative decrease.
 *
 * A call is late when it takes much longer than the best one of its method did lately. The limit falls
 * when all calls of a window were late: a standing queue delays every call, while a slow method (the
 * hashing of passwords, say) delays its own alone. The same thought is in CoDel (RFC 8289). The limit
 * grows when it was in the way and some call was in time that was sent under it: one that was sent before
 * knows nothing of the last step, and a limit that grew by its word would be far too high before the first
 * late call came back.
 *
 * So few calls as the least limit lets through cannot stand in a queue of ours. When they are late all
 * the same for a while, the upstream has not too much to do, it is just slower than it was: what it takes
 * now becomes the usual, and the limit grows until a queue shows. BBR probes for the least round trip in
 * the same way (draft-ietf-ccwg-bbr, ProbeRTT). What we do not know is what others ask of the upstream: the
 * queue that their calls stand in counts as its pace, once.
 */
export class AdaptiveLimit {
  readonly #now: () => number;
  /** Bounded by the methods in the schema. */
  readonly #baselines = new Map<object, Baseline>();
  #limit: number = rules.startLimit;
  #windowStartMs: number;
  #samples = 0;
  #peak = 0;
  #inTime = false;
  /** A call was in time that was sent under the limit as it is. */
  #bearsMore = false;
  #changedAtMs: number;
  #overloaded = false;
  /** Since when the limit is at its least and all calls are late; undefined while it is not so. */
  #lateAtLeastSinceMs: number | undefined;

  /** @param now a monotonic clock in milliseconds. */
  constructor(now: () => number) {
    this.#now = now;
    this.#windowStartMs = now();
    this.#changedAtMs = this.#windowStartMs;
  }

  /** Calls that may be under way: from 8 to 512, 100 at first. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * The upstream has answered.
   * @param method whose calls are alike; the same object each time.
   * @param underWay calls that were under way, this one included.
   */
  answered(method: object, latencyMs: number, underWay: number): void {
    const nowMs = this.#now();
    this.#peak = Math.max(this.#peak, underWay);
    const baseline = this.#baselines.get(method);
    if (baseline === undefined) {
      this.#baselines.set(method, new Baseline(latencyMs, nowMs));
    } else {
      const lateMs = baseline.leastMs * rules.lateFactor + rules.lateSlackMs;
      if (latencyMs <= lateMs) {
        this.#inTime = true;
        this.#bearsMore ||= nowMs - latencyMs >= this.#changedAtMs;
      }
      this.#samples++;
      baseline.add(latencyMs, nowMs, underWay > Math.max(rules.minLimit, this.#limit / 2));
    }
    this.#endWindow(nowMs);
  }

  /** The upstream has more to do than it can. */
  overloaded(): void {
    this.#overloaded = true;
    this.#endWindow(this.#now());
  }

  #endWindow(nowMs: number): void {
    if (nowMs - this.#windowStartMs < rules.windowMs) return;
    if (!this.#overloaded && this.#samples < rules.minSamples) return;
    const late = this.#overloaded || !this.#inTime;
    if (late) this.#change(Math.floor(this.#limit * rules.decrease), nowMs);
    else if (this.#bearsMore && this.#peak * 2 >= this.#limit)
      this.#change(this.#limit + rules.increase, nowMs);
    if (late && !this.#overloaded && this.#limit === rules.minLimit) this.#getUsedTo(nowMs);
    else this.#lateAtLeastSinceMs = undefined;
    this.#windowStartMs = nowMs;
    this.#samples = 0;
    this.#peak = 0;
    this.#inTime = false;
    this.#bearsMore = false;
    this.#overloaded = false;
  }

  #change(limit: number, nowMs: number): void {
    this.#limit = Math.min(rules.maxLimit, Math.max(rules.minLimit, limit));
    this.#changedAtMs = nowMs;
  }

  /** What takes long with the fewest calls under way, and goes on so, is the usual thing. */
  #getUsedTo(nowMs: number): void {
    this.#lateAtLeastSinceMs ??= nowMs;
    if (nowMs - this.#lateAtLeastSinceMs < rules.getUsedAfterMs) return;
    this.#baselines.clear();
    this.#lateAtLeastSinceMs = undefined;
  }
}
