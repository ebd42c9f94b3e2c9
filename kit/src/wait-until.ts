import { setTimeout as sleep } from "node:timers/promises";

/** For tests: waits until something holds, and tells what it was when it never does. */
export async function waitUntil(
  what: string,
  holds: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}
