import { Criticality } from "@3l1/gen/platform/v1/method_policy_pb.ts";

/** How busy the event loop has been for a while. */
export interface LoopReading {
  /** Share of the time that it was not waiting for work, 0 to 1. */
  readonly utilization: number;
  /** How late it was with what was due, in milliseconds. */
  readonly lateMs: number;
}

/** Above this share nothing is left for a burst. */
const sheddableMark = 0.9;
/** Shed only when that was not enough. */
const defaultMark = 0.97;
/**
 * A loop that is always busy but on time serves as much as it can, and nobody waits. So late that a request, which
 * needs several turns of it, takes half a second longer.
 */
const lateMarkMs = 100;
/** How much a new reading counts beside those before: one pause for garbage is no overload. */
const smoothing = 0.3;
/** A share rises, at full utilisation, from none to all in five readings, and falls the faster the more room there is. */
const gain = 2;

/**
 * Decides which requests are turned away when the event loop cannot keep up: of each class just as many as it
 * takes to stay at the class's mark, what the schema marks as sheddable first, what it marks as critical never.
 * Shares move step by step, so that load does not swing between all and nothing.
 */
export class LoadShedding {
  #utilization = 0;
  #lateMs = 0;
  #sheddable = 0;
  #default = 0;

  /** To be told ten times a second. */
  sample({ utilization, lateMs }: LoopReading): void {
    this.#utilization += (utilization - this.#utilization) * smoothing;
    this.#lateMs += (lateMs - this.#lateMs) * smoothing;
    this.#sheddable = this.#step(this.#sheddable, sheddableMark);
    this.#default = this.#step(this.#default, defaultMark);
  }

  /** Which share of such requests is turned away, 0 to 1. */
  share(criticality: Criticality): number {
    if (criticality === Criticality.CRITICAL) return 0;
    return criticality === Criticality.SHEDDABLE ? this.#sheddable : this.#default;
  }

  #step(share: number, mark: number): number {
    const excess = this.#utilization - mark;
    const rise = this.#lateMs < lateMarkMs ? Math.min(0, excess) : excess;
    return Math.min(1, Math.max(0, share + gain * rise));
  }
}
