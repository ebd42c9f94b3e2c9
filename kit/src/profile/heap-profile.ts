import type { HeapProfiler } from "node:inspector/promises";
import { PprofBuilder } from "./pprof-builder.ts";
import { withInspector } from "./with-inspector.ts";

/** Bytes between two samples, on average: V8's own default. */
const intervalBytes = 32 * 1024;

/**
 * Where the memory was taken that a while's work has left behind: what was allocated meanwhile and not
 * collected since.
 *
 * @throws the signal's reason when it is aborted meanwhile
 */
export async function recordHeap(seconds: number, signal: AbortSignal): Promise<Buffer> {
  const startedAtMs = Date.now();
  const profile = await withInspector(async (session, pause) => {
    await session.post("HeapProfiler.startSampling", { samplingInterval: intervalBytes });
    await pause(seconds * 1000);
    return (await session.post("HeapProfiler.stopSampling")).profile;
  }, signal);
  return heapToPprof(profile, startedAtMs, Date.now() - startedAtMs);
}

function heapToPprof(
  { head }: HeapProfiler.SamplingHeapProfile,
  startedAtMs: number,
  durationMs: number,
): Promise<Buffer> {
  const builder = new PprofBuilder([["inuse_space", "bytes"]]);
  const addBelow = (
    { callFrame, selfSize, children }: HeapProfiler.SamplingHeapProfileNode,
    callers: readonly number[],
  ) => {
    const stack = [builder.location(callFrame), ...callers];
    if (selfSize > 0) builder.add(stack, [selfSize]);
    for (const child of children) addBelow(child, stack);
  };
  // The root of all stacks says nothing.
  for (const child of head.children) addBelow(child, []);
  return builder.encode(intervalBytes, startedAtMs, durationMs);
}
