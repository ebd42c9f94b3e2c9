import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { Code } from "@connectrpc/connect";
import { hashingRetryAfterMs } from "./limits.ts";

/** Runs only so many hashes at a time, so that they cannot starve the rest of the process. */
export interface HashingPool {
  /**
   * Runs a hash when its turn comes.
   *
   * @throws ConnectError `unavailable`, REASON_PASSWORD_HASHING_BUSY when the queue is full, or the turn
   *   does not come in time
   * @throws the signal's reason when it is aborted while the hash waits
   */
  run<T>(hash: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Hashes that run, and that wait. */
  load(): { running: number; waiting: number };
}

export function createHashingPool(
  maxAtOnce: number,
  maxWaiting: number,
  maxWaitMs: number,
): HashingPool {
  const waiting = new Set<() => void>();
  let running = 0;

  function leave(): void {
    const [next] = waiting;
    if (next === undefined) running--;
    else next();
  }
  function turn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (running < maxAtOnce) {
      running++;
      return Promise.resolve();
    }
    if (waiting.size >= maxWaiting) throw busy();
    return new Promise((resolve, reject) => {
      const leaveQueue = () => {
        waiting.delete(start);
        clearTimeout(timer);
        signal?.removeEventListener("abort", giveUp);
      };
      const start = () => {
        leaveQueue();
        resolve();
      };
      const giveUp = () => {
        leaveQueue();
        reject(signal?.aborted ? signal.reason : busy());
      };
      const timer = setTimeout(giveUp, maxWaitMs);
      waiting.add(start);
      signal?.addEventListener("abort", giveUp, { once: true });
    });
  }

  return {
    async run(hash, signal) {
      await turn(signal);
      try {
        return await hash();
      } finally {
        leave();
      }
    },
    load: () => ({ running, waiting: waiting.size }),
  };
}

function busy() {
  const message = "too many passwords wait to be checked";
  return failure(Code.Unavailable, message, Reason.PASSWORD_HASHING_BUSY, hashingRetryAfterMs);
}
