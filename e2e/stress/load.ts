import { once } from "node:events";
import { Worker } from "node:worker_threads";
import type { Ask, Sample } from "./ask.ts";

/** What the thread that sends is told. */
export interface LoadOrder {
  /** In turn. */
  readonly asks: readonly [Ask, ...Ask[]];
  /** Unset: each again as soon as it is answered. */
  readonly perSecond?: number | undefined;
  /** Keep-alive connections at most. */
  readonly connections: number;
  /** The process that is asked, to tell its time from that of a machine with too much to do. */
  readonly pid?: number | undefined;
  /** Where the story's monotonic clock starts. */
  readonly timeOrigin: number;
}

/** Requests that keep coming. */
export interface Load {
  /** Those answered until a moment ago; after {@link stop}, all. */
  readonly samples: readonly Sample[];
  /** Those sent from then on. */
  since(atMs: number): Sample[];
  /** Sends no more, and waits for what is under way. */
  stop(): Promise<void>;
}

const manyConnections = 1_000;

/** So many requests a second, whatever becomes of those before. */
export function startLoad(
  target: Ask &
    Pick<LoadOrder, "pid"> & { readonly perSecond: number; readonly connections?: number },
): Load {
  const { perSecond, connections = manyConnections, pid, ...one } = target;
  const { timeOrigin } = performance;
  return start({ asks: [one], perSecond, connections, pid, timeOrigin });
}

/** As many requests at a time as are given: each is sent again as soon as it is answered. */
export function startCrowd(asks: readonly Ask[]): Load {
  const [first, ...others] = asks;
  if (first === undefined) throw new Error("nobody in the crowd");
  const { timeOrigin } = performance;
  return start({ asks: [first, ...others], connections: manyConnections, timeOrigin });
}

function start(workerData: LoadOrder): Load {
  const worker = new Worker(new URL("./load-worker.ts", import.meta.url), { workerData });
  const samples: Sample[] = [];
  worker.on("message", (some: readonly Sample[]) => void samples.push(...some));
  const ended = once(worker, "exit");
  // A story that failed must not be kept from ending.
  worker.unref();
  return {
    samples,
    since: (atMs) => samples.filter((sample) => sample.atMs >= atMs),
    async stop() {
      worker.ref();
      worker.postMessage("stop");
      await ended;
    },
  };
}

/** The time that so large a share of the answers stayed below, in milliseconds. */
export function percentile(samples: readonly Sample[], share: number): number {
  const sorted = samples.map(({ tookMs }) => tookMs).sort((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** The middle one. */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >> 1] ?? Number.NaN;
}

/** How many there were of each status. */
export function statuses(samples: readonly Sample[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status, error } of samples) {
    const name = error ?? String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
