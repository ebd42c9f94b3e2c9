import { setTimeout as sleep } from "node:timers/promises";

/**
 * Says that there is something new, soon after each call and at most once in `pauseMs`. It is called
 * after a commit, never within the transaction: PostgreSQL commits those that notify one after the
 * other. A notice that cannot be sent is lost, for whoever listens also looks by itself.
 */
export function createNotice(send: () => Promise<void>, pauseMs: number): () => void {
  let isBusy = false;
  let again = false;

  async function sendAll(): Promise<void> {
    isBusy = true;
    do {
      again = false;
      await send().catch(() => {});
      await sleep(pauseMs, undefined, { ref: false });
    } while (again);
    isBusy = false;
  }
  return () => {
    if (isBusy) again = true;
    else void sendAll();
  };
}
