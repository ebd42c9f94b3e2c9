/** Both the terminal and npm deliver one Ctrl-C, some milliseconds apart. */
const sameRequestMs = 500;

/** When the platform is asked to stop, and when to hurry with it. */
export interface StopRequests {
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP, or by the death of a launcher that gave us a channel. */
  readonly stop: AbortSignal;
  /** Aborted by the second. */
  readonly hurry: AbortSignal;
}

export function stopRequests(process: NodeJS.Process): StopRequests {
  const stop = new AbortController();
  const hurry = new AbortController();
  let firstAt = 0;
  function request(): void {
    const now = performance.now();
    if (!stop.signal.aborted) {
      firstAt = now;
      stop.abort();
    } else if (now - firstAt > sameRequestMs) hurry.abort();
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, request);
  // npm start, e2e and the like may spawn us with a channel, which closes when they die.
  process.once("disconnect", () => stop.abort());
  // After a hangup there may be no terminal to write to; that must not end us before the rest.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
  return { stop: stop.signal, hurry: hurry.signal };
}
