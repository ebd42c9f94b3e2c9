import { performance } from "node:perf_hooks";
import type { Registry } from "@prometheus-io/client";
import { healthSamples } from "../limits.ts";
import { type Reading, readMetrics } from "./reading.ts";

/** The metrics at the end of a sample, and how the process did in it. */
export interface Sample extends Reading {
  /** How busy the event loop was since the sample before, from 0 to 1. */
  readonly eventLoopUtilization: number;
  /** The memory that the process held (RSS). */
  readonly residentBytes: number;
}

/** The last minutes of this process, in samples. */
export interface HealthSamples {
  /** Takes one now. The first one is where the series begin. */
  take(): Promise<void>;
  /** The oldest first, at most one more than a series is long. */
  readonly kept: readonly Sample[];
}

/** @param now milliseconds since 1970 */
export function createHealthSamples(registry: Registry, now: () => number): HealthSamples {
  const kept: Sample[] = [];
  let loop = performance.eventLoopUtilization();
  return {
    kept,
    async take() {
      const reading = await readMetrics(registry, now());
      const current = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(current, loop);
      loop = current;
      const residentBytes = process.memoryUsage.rss();
      kept.push({ ...reading, eventLoopUtilization: utilization, residentBytes });
      if (kept.length > healthSamples + 1) kept.shift();
    },
  };
}
