import { readFileSync } from "node:fs";

/**
 * How long the kernel has kept a process's main thread, or this thread, waiting for a CPU, in
 * milliseconds (the second number of schedstat, proc(5)). 0 where it does not say.
 */
export function cpuWaitMs(pid?: number): number {
  try {
    const text = readFileSync(`/proc/${pid ?? "thread-self"}/schedstat`, "latin1");
    return Number(text.split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}
