import { Criticality } from "@3l1/gen/platform/v1/method_policy_pb.ts";

/** A call that waits for its turn. */
interface Waiter {
  readonly end: (hasTurn: boolean) => void;
}

/**
 * Lets calls run up to a limit that may change, and lets as many wait. Among those that wait the most
 * critical go first, and make room for their like when there is none left; then the first come.
 */
export class CallQueue {
  readonly #limit: () => number;
  /** A line per criticality, the most critical first. */
  readonly #lines: readonly [Waiter[], Waiter[], Waiter[]] = [[], [], []];
  #underWay = 0;
  #endsTurn = false;

  /** @param limit calls under way at most, and calls waiting at most. */
  constructor(limit: () => number) {
    this.#limit = limit;
  }

  /** Calls that have their turn. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Calls that wait for it. */
  get waiting(): number {
    return this.#lines[0].length + this.#lines[1].length + this.#lines[2].length;
  }

  /** Takes a turn if there is one at once. Who gets it must {@link leave}. */
  tryEnter(): boolean {
    if (this.#underWay >= this.#limit() || this.waiting > 0) return false;
    this.#underWay++;
    return true;
  }

  /**
   * Waits for a turn. Who gets it must {@link leave}.
   * @returns false if there was no room to wait, or no turn in time, or the caller left.
   */
  async enter(criticality: Criticality, maxWaitMs: number, signal?: AbortSignal): Promise<boolean> {
    if (this.tryEnter()) return true;
    const rank = rankOf(criticality);
    if (signal?.aborted || maxWaitMs <= 0 || !this.#makeRoom(rank)) return false;
    return await this.#wait(this.#lines[rank], maxWaitMs, signal);
  }

  /** Gives the turn to the next one. */
  leave(): void {
    this.#underWay--;
    if (this.#underWay >= this.#limit()) this.#shrink();
    while (this.#underWay < this.#limit()) {
      const next = this.#lines.find((line) => line.length > 0)?.[0];
      if (next === undefined) return;
      this.#underWay++;
      next.end(true);
    }
  }

  /**
   * The limit has fallen below what is under way. Every second turn ends; the others go to critical calls:
   * they would else wait in vain, since a slow upstream takes longer to finish the rest than they may wait.
   */
  #shrink(): void {
    this.#endsTurn = !this.#endsTurn;
    const next = this.#endsTurn ? undefined : this.#lines[0][0];
    if (next === undefined) return;
    this.#underWay++;
    next.end(true);
  }

  /** True if there is room to wait, if need be that of the last one who is less critical. */
  #makeRoom(rank: number): boolean {
    if (this.waiting < this.#limit()) return true;
    const lessCritical = this.#lines.slice(rank + 1).findLast((line) => line.length > 0);
    lessCritical?.at(-1)?.end(false);
    return lessCritical !== undefined;
  }

  #wait(line: Waiter[], maxWaitMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    return new Promise((resolve) => {
      const giveUp = () => waiter.end(false);
      const timer = setTimeout(giveUp, maxWaitMs);
      const end = (hasTurn: boolean) => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
        line.splice(line.indexOf(waiter), 1);
        resolve(hasTurn);
      };
      const waiter: Waiter = { end };
      line.push(waiter);
      signal?.addEventListener("abort", giveUp);
    });
  }
}

function rankOf(criticality: Criticality): 0 | 1 | 2 {
  if (criticality === Criticality.CRITICAL) return 0;
  return criticality === Criticality.SHEDDABLE ? 2 : 1;
}
