import { Session } from "node:inspector/promises";
import { setTimeout as sleep } from "node:timers/promises";

/** Waits for so many milliseconds, or rejects when the profile is not wanted any more. */
export type Pause = (ms: number) => Promise<void>;

/** Talks to V8 within the process. Whatever becomes of it, V8 stops recording. No port is opened. */
export async function withInspector<T>(
  record: (session: Session, pause: Pause) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  signal.throwIfAborted();
  const session = new Session();
  session.connect();
  try {
    return await record(session, (ms) => sleep(ms, undefined, { signal, ref: false }));
  } finally {
    session.disconnect();
  }
}
