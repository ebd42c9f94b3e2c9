import { briefError } from "./logged-error.ts";
import type { Logger } from "./logger.ts";

/** A task that runs again and again, never twice at a time. */
export interface Periodic {
  /** Runs it now, or once more as soon as the run under way has ended. */
  soon(): void;
  /** Ends it, after the run under way. */
  stop(): Promise<void>;
}

export interface PeriodicOptions {
  /** Names the task in logs. */
  readonly name: string;
  readonly everyMs: number;
  readonly run: () => Promise<void>;
  readonly logger: Logger;
}

/** Starts a task. A failure is logged when it is the first in a row, and the task goes on. */
export function runPeriodically({ name, everyMs, run, logger }: PeriodicOptions): Periodic {
  let wake = Promise.withResolvers<void>();
  let stopped = false;
  let failing = false;

  async function once(): Promise<void> {
    try {
      await run();
      if (failing) logger.info({ task: name }, "task works again");
      failing = false;
    } catch (error) {
      if (!failing)
        logger.warn({ task: name, err: briefError(error) }, "task fails, and is tried again");
      failing = true;
    }
  }
  async function loop(): Promise<void> {
    while (!stopped) {
      const timer = setTimeout(() => wake.resolve(), everyMs);
      await wake.promise;
      clearTimeout(timer);
      wake = Promise.withResolvers();
      if (!stopped) await once();
    }
  }

  const ended = loop();
  return {
    soon: () => wake.resolve(),
    async stop() {
      stopped = true;
      wake.resolve();
      await ended;
    },
  };
}
