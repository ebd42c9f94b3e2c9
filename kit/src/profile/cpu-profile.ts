import type { Profiler } from "node:inspector/promises";
import { PprofBuilder } from "./pprof-builder.ts";
import { withInspector } from "./with-inspector.ts";

/** Time between two samples: fine enough for a request of 100 µs, seen often. */
const intervalMicros = 1_000;

/**
 * Where the event loop's thread spends its time, waiting not counted.
 *
 * @throws the signal's reason when it is aborted meanwhile
 */
export async function recordCpu(seconds: number, signal: AbortSignal): Promise<Buffer> {
  const startedAtMs = Date.now();
  const profile = await withInspector(async (session, pause) => {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: intervalMicros });
    await session.post("Profiler.start");
    await pause(seconds * 1000);
    return (await session.post("Profiler.stop")).profile;
  }, signal);
  return cpuToPprof(profile, startedAtMs);
}

/** What V8 shows beside functions, when there is nothing to do. */
const idle = "(idle)";
/** The root of all stacks, which says nothing. */
const root = "(root)";

/** @param startedAtMs milliseconds since 1970 */
export function cpuToPprof(profile: Profiler.Profile, startedAtMs: number): Promise<Buffer> {
  const builder = new PprofBuilder([
    ["samples", "count"],
    ["cpu", "nanoseconds"],
  ]);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const spent = timesOf(profile);
  const addBelow = (node: Profiler.ProfileNode, callers: readonly number[]) => {
    const { callFrame, positionTicks = [], children = [] } = node;
    const { count = 0, micros = 0 } = spent.get(node.id) ?? {};
    const ticks = positionTicks.reduce((sum, each) => sum + each.ticks, 0);
    const isShown = callFrame.functionName !== idle && callFrame.functionName !== root;
    if (count > 0 && isShown)
      for (const { line, share } of linesOf(positionTicks, ticks)) {
        const values = [count * share, micros * 1000 * share].map(Math.round);
        builder.add([builder.location(callFrame, line), ...callers], values);
      }
    const stack = isShown ? [builder.location(callFrame), ...callers] : callers;
    for (const id of children) {
      const child = nodes.get(id);
      if (child !== undefined) addBelow(child, stack);
    }
  };
  const [first] = profile.nodes;
  if (first !== undefined) addBelow(first, []);
  const durationMs = (profile.endTime - profile.startTime) / 1000;
  return builder.encode(intervalMicros * 1000, startedAtMs, durationMs);
}

/** V8 tells the time since the sample before; a sample stands for the time until the next one. */
function timesOf({ samples = [], timeDeltas = [] }: Profiler.Profile) {
  const spent = new Map<number, { count: number; micros: number }>();
  for (const [index, id] of samples.entries()) {
    const sum = spent.get(id) ?? { count: 0, micros: 0 };
    sum.count += 1;
    sum.micros += Math.max(0, timeDeltas[index + 1] ?? 0);
    spent.set(id, sum);
  }
  return spent;
}

/** In which lines of a function it was seen, and how often. */
function linesOf(positions: readonly Profiler.PositionTickInfo[], ticks: number) {
  if (ticks === 0) return [{ line: undefined, share: 1 }];
  return positions.map(({ line, ticks: each }) => ({ line, share: each / ticks }));
}
