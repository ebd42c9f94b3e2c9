import { setTimeout as sleep } from "node:timers/promises";
import type { Logger } from "@3l1/kit/logger.ts";
import { runPeriodically } from "@3l1/kit/periodic.ts";
import { type Change, type ChangeLog, ChangesForgotten } from "./change-log.ts";
import type { Position } from "./change-position.ts";
import { changePauseMs, changePollMs, changesAtOnce, unsettledRetryMs } from "./limits.ts";

/** Who is told. */
export interface Audience {
  readonly count: number;
  tell(change: Change): void;
  /** Changes behind the last one told are gone: nobody can be told what they were. */
  reset(position: Position): void;
}

export interface ChangeFeedOptions {
  readonly log: Pick<ChangeLog, "after" | "last">;
  readonly audience: Audience;
  readonly logger: Logger;
  /** Milliseconds since 1970, as PostgreSQL has them. */
  readonly now: () => number;
}

/** Reads changes once a process, for all who watch. */
export interface ChangeFeed {
  /**
   * The last change told to the audience. Who joins the audience and asks at once is told all that
   * come later, and none before. Resolves at once while somebody watches.
   */
  position(): Position | Promise<Position>;
  /** There may be changes. */
  wake(): void;
  /** For how long a change has been waiting to be told, as far as is known; 0 when nobody watches. */
  lagMs(): number;
  stop(): Promise<void>;
}

/**
 * Follows the changes from the moment somebody watches until nobody does. It is woken by notices, and
 * looks by itself once a second.
 */
export function createChangeFeed({ log, audience, logger, now }: ChangeFeedOptions): ChangeFeed {
  let position: Position | undefined;
  let starting: Promise<Position> | undefined;
  let toldUntilMs = now();

  async function start(): Promise<Position> {
    try {
      const last = await log.last();
      toldUntilMs = now();
      position = last;
      return last;
    } finally {
      starting = undefined;
    }
  }

  /** Tells a page of changes. True if there may be more right away. */
  async function tellPage(after: Position): Promise<boolean> {
    const readAtMs = now();
    const { changes, waitingSince, isFull } = await log.after(after, changesAtOnce);
    for (const change of changes) {
      audience.tell(change);
      position = change.position;
    }
    toldUntilMs = waitingSince?.getTime() ?? readAtMs;
    if (waitingSince !== undefined) setTimeout(reading.soon, unsettledRetryMs).unref();
    if (changes.length > 0) await sleep(changePauseMs);
    return isFull;
  }

  async function skipForgotten(): Promise<void> {
    const last = await log.last();
    position = last;
    audience.reset(last);
  }

  async function read(): Promise<void> {
    if (audience.count === 0) position = undefined;
    let more = true;
    while (more && position !== undefined)
      try {
        more = await tellPage(position);
      } catch (error) {
        if (!(error instanceof ChangesForgotten)) throw error;
        logger.warn("changes were forgotten before they were told");
        await skipForgotten();
      }
  }

  const name = "changes of orders";
  const reading = runPeriodically({ name, everyMs: changePollMs, run: read, logger });
  return {
    position() {
      if (position !== undefined) return position;
      starting ??= start();
      return starting;
    },
    wake: reading.soon,
    lagMs: () => (position === undefined ? 0 : Math.max(0, now() - toldUntilMs)),
    stop: reading.stop,
  };
}
