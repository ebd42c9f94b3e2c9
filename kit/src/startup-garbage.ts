import { Session } from "node:inspector/promises";

/**
 * Collects what loading a program leaves behind: twice as much as the program keeps. V8 collects when its
 * heap grows, and that of a process that waits for its first request does not, perhaps for hours.
 */
export async function collectStartupGarbage(): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await session.post("HeapProfiler.collectGarbage");
  } finally {
    session.disconnect();
  }
}
