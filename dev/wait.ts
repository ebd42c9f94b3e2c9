import { setTimeout as sleep } from "node:timers/promises";
import { StartError } from "./start-error.ts";

export interface WaitOptions {
  /** What is waited for, for the error. */
  readonly what: string;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** How long to wait between two looks. Default: 50 ms. */
  readonly pauseMs?: number;
}

/**
 * Looks again and again until `look` finds true.
 *
 * @throws {StartError} past the deadline; the signal's reason when it is aborted.
 */
export async function waitUntil(
  look: () => boolean | Promise<boolean>,
  { what, deadlineMs, signal, pauseMs = 50 }: WaitOptions,
): Promise<void> {
  const end = performance.now() + deadlineMs;
  while (!(await look())) {
    if (performance.now() > end)
      throw new StartError(`${what} took longer than ${Math.round(deadlineMs / 1000)} s`);
    await sleep(pauseMs, undefined, { signal });
  }
}
