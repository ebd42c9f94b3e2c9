/** Looks at least so often whether the peer has spoken. */
const LOOKS = 10;

/**
 * Calls back when a time has passed, and ten turns of the event loop at least. A process that is stalled, itself or
 * with all of its machine, sees its timers before the answers that wait to be read, and would take its own delay
 * for the peer's silence.
 *
 * @returns ends the wait
 */
export function afterSilence(timeoutMs: number, giveUp: () => void): () => void {
  let looksLeft = LOOKS;
  let last: NodeJS.Immediate | undefined;
  const timer = setInterval(() => {
    if (--looksLeft > 0) return;
    clearInterval(timer);
    last = setImmediate(giveUp);
  }, timeoutMs / LOOKS);
  return () => {
    clearInterval(timer);
    clearImmediate(last);
  };
}
