import { performance } from "node:perf_hooks";
import type { LoopReading } from "./load-shedding.ts";

const everyMs = 100;

/** Reads ten times a second how busy the event loop is, until it is stopped. */
export function sampleLoop(onReading: (reading: LoopReading) => void): { stop(): void } {
  let before = performance.eventLoopUtilization();
  let dueAt = performance.now() + everyMs;
  const timer = setInterval(() => {
    const at = performance.now();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    onReading({ utilization, lateMs: Math.max(0, at - dueAt) });
    before = now;
    dueAt = at + everyMs;
  }, everyMs);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
