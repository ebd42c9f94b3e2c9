import { Code, ConnectError } from "@connectrpc/connect";
import { effect, type ReadonlySignal } from "@preact/signals";
import { comeBack } from "../api/session.ts";

const firstPauseMs = 300;
const longestPauseMs = 10_000;
/** The platform says something each 15 seconds. What is silent for longer has died without a word. */
const longestSilenceMs = 40_000;

export interface WatchOptions<T> {
  /** Ends it for good. */
  readonly stop: AbortSignal;
  /** While this is false there is no stream. */
  readonly present: ReadonlySignal<boolean>;
  /** Opens a stream, from where the last one was lost. */
  readonly open: (signal: AbortSignal) => AsyncIterable<T>;
  readonly take: (message: T) => void;
  /** The stream is gone, and another is not there yet. */
  readonly lost: () => void;
}

/** Keeps a stream open: over restarts of the gateway, lost networks and expired tokens. */
export async function keepWatching<T>(options: WatchOptions<T>): Promise<void> {
  const { stop, present, lost } = options;
  let failures = 0;
  while (!stop.aborted) {
    if (!present.peek()) {
      lost();
      await until(present, stop);
    }
    const outcome = await watchOnce(options, () => {
      failures = 0;
    });
    if (stop.aborted) return;
    // A token that has expired is no loss: the next stream follows at once, with a new one.
    if (outcome === "expired" && failures++ === 0) continue;
    lost();
    await pause(pauseMs(failures++), stop);
  }
}

async function watchOnce<T>(
  { stop, present, open, take }: WatchOptions<T>,
  heard: () => void,
): Promise<"expired" | "lost"> {
  const attempt = new AbortController();
  const giveUp = () => attempt.abort();
  // A network that is gone says nothing to a request under way.
  const unfollow = effect(() => {
    if (!present.value) giveUp();
  });
  let silence = setTimeout(giveUp, longestSilenceMs);
  try {
    for await (const message of open(AbortSignal.any([stop, attempt.signal]))) {
      clearTimeout(silence);
      silence = setTimeout(giveUp, longestSilenceMs);
      heard();
      take(message);
    }
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    if (error.code === Code.Unauthenticated && !stop.aborted) return await renew(error);
  } finally {
    clearTimeout(silence);
    unfollow();
  }
  return "lost";
}

/** Whether somebody is still logged in, `user` tells; whoever follows it ends this. */
async function renew(error: ConnectError): Promise<"expired" | "lost"> {
  try {
    await comeBack(error);
    return "expired";
  } catch {
    return "lost";
  }
}

/** Full jitter: many tabs that lose the same gateway do not come back at once. */
function pauseMs(failures: number): number {
  return Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** failures);
}

function until(present: ReadonlySignal<boolean>, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    let unfollow = () => {};
    const done = () => {
      queueMicrotask(() => unfollow());
      resolve();
    };
    stop.addEventListener("abort", done, { once: true });
    unfollow = effect(() => {
      if (present.value) done();
    });
  });
}

/** Ends early when the network comes back. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      removeEventListener("online", done);
      stop.removeEventListener("abort", done);
      resolve();
    }
    addEventListener("online", done);
    stop.addEventListener("abort", done);
  });
}
