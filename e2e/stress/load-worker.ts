// Sends requests from a thread of its own: whatever else a story does, an answer is noticed when it
// comes, and the next request goes out when it is due.

import { Agent } from "node:http";
import { parentPort, workerData } from "node:worker_threads";
import { ask, type Sample } from "./ask.ts";
import { cpuWaitMs } from "./cpu-wait.ts";
import type { LoadOrder } from "./load.ts";

/** Often enough for a story that waits for samples, seldom enough not to disturb those under way. */
const reportEveryMs = 100;
const sendEveryMs = 5;

const order = workerData as LoadOrder;
const agent = new Agent({ keepAlive: true, maxSockets: order.connections });
const startedAt = performance.now();
let unreported: Sample[] = [];
let isOver = false;

const report = setInterval(tell, reportEveryMs);
const underWay = order.perSecond === undefined ? keepBusy() : keepPace(order.perSecond);

parentPort?.once("message", async () => {
  isOver = true;
  await underWay();
  clearInterval(report);
  tell();
  agent.destroy();
});

function tell(): void {
  parentPort?.postMessage(unreported);
  unreported = [];
}

async function send(index: number): Promise<void> {
  const waits = watchWaits(order.pid);
  const { tookMs, atMs, ...rest } = await ask(
    order.asks[index % order.asks.length] ?? order.asks[0],
    agent,
  );
  // The monotonic clocks of two threads start at different times.
  const at = { atMs: atMs + performance.timeOrigin - order.timeOrigin };
  unreported.push({ ...rest, tookMs, ...at, ...waits() });
}

/** Both may wait at the same time, so only the longer wait counts. */
function watchWaits(pid?: number): () => Pick<Sample, "waitedMs"> {
  if (pid === undefined) return () => ({});
  const [theirs, mine] = [cpuWaitMs(pid), cpuWaitMs()];
  return () => ({ waitedMs: Math.max(cpuWaitMs(pid) - theirs, cpuWaitMs() - mine) });
}

/** So many a second, whatever becomes of those before. */
function keepPace(perSecond: number): () => Promise<unknown> {
  const sending = new Set<Promise<void>>();
  let sent = 0;
  const timer = setInterval(() => {
    if (isOver) return clearInterval(timer);
    const due = ((performance.now() - startedAt) / 1000) * perSecond;
    for (; sent < due; sent++) {
      const one = send(sent);
      sending.add(one);
      void one.then(() => sending.delete(one));
    }
  }, sendEveryMs);
  return () => Promise.all(sending);
}

/** Each of them again as soon as it is answered. */
function keepBusy(): () => Promise<unknown> {
  const all = order.asks.map(async (_, index) => {
    while (!isOver) await send(index);
  });
  return () => Promise.all(all);
}
