import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { breakerOf, metricOf } from "../admin-pages.ts";
import { register } from "../client.ts";
import { startOrderStandIn } from "../order-stand-in.ts";
import { shared, startSecondGateway } from "../second-gateway.ts";
import { ask, type Sample } from "./ask.ts";
import { percentile, startLoad, statuses } from "./load.ts";

const upstream = "order-service";
const someId = "01890000-0000-7000-8000-000000000000";
let platform: Platform;
let token: string | undefined;
before(async () => {
  platform = await startPlatform(shared);
  token = (await register(platform.gatewayUrl)).token;
});
after(() => platform.stop());

/** Does so many things at a time; each takes as long as it is told. */
class Workers {
  tookMs = 10;
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  async work(): Promise<Record<string, never>> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    await sleep(this.tookMs);
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
    return {};
  }
}

test("clients that leave are told to the service within 100 ms", async (t) => {
  let asked = 0;
  const leftAt: number[] = [];
  const service = await startOrderStandIn({
    async listOrders(_request, { signal }) {
      asked++;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      leftAt.push(performance.now());
      return {};
    },
  });
  await using gateway = await startSecondGateway(platform, { ORDER_SERVICE_URL: service.url });
  const delays: number[] = [];
  for (let round = 1; round <= 10; round++) {
    const leaving = new AbortController();
    const lists = Array.from({ length: 20 }, () =>
      fetch(`${gateway.url}/api/orders/list`, {
        headers: { authorization: `Bearer ${token}` },
        signal: leaving.signal,
      }),
    );
    await waitFor("the service to be asked", () => asked === 20 * round);
    const abortedAt = performance.now();
    leaving.abort();
    await Promise.allSettled(lists);
    await waitFor("all to be gone", () => leftAt.length === 20 * round);
    delays.push(Math.max(...leftAt.slice(-20)) - abortedAt);
  }
  await service.stop();
  t.diagnostic(`the last of 20 was told after ${delays.map(Math.round)} ms`);
  // The median: a machine that is busy elsewhere delays some rounds, a gateway that waits delays all.
  const median = delays.sort((one, other) => one - other)[5] ?? Number.NaN;
  assert.ok(median <= 100, `${delays}`);
});

test("a service that slows down is given less to do, critical calls first, and then what it can", async (t) => {
  const workers = new Workers(20);
  const service = await startOrderStandIn({
    getOrder: () => workers.work(),
    listOrders: () => workers.work(),
  });
  await using gateway = await startSecondGateway(platform, { ORDER_SERVICE_URL: service.url });
  const metric = (name: string) => metricOf(gateway.adminUrl, name, { upstream });
  const limits: { atMs: number; limit: number; waiting: number }[] = [];
  let isOver = false;
  const watch = (async () => {
    while (!isOver) {
      const limit = await metric("upstream_concurrency_limit");
      limits.push({
        atMs: performance.now(),
        limit,
        waiting: await metric("upstream_calls_waiting"),
      });
      await sleep(100);
    }
  })();
  const info = { url: `${gateway.url}/api/orders/info?id=${someId}`, token };
  const list = { url: `${gateway.url}/api/orders/list`, token };
  const critical = startLoad({ ...info, perSecond: 10 });
  const sheddable = startLoad({ ...list, perSecond: 150 });
  await sleep(4_000);
  // 20 workers that need half a second: 40 a second, a quarter of what comes.
  workers.tookMs = 500;
  const slowAt = performance.now();
  await sleep(25_000);
  workers.tookMs = 10;
  const quickAt = performance.now();
  await Promise.all([critical.stop(), sheddable.stop()]);
  const between = (from: number, to: number) =>
    limits.filter(({ atMs }) => atMs >= from && atMs < to).map(({ limit }) => limit);
  const start = between(0, slowAt).at(-1) ?? 0;
  const least = Math.min(...between(slowAt, slowAt + 5_000));
  // By then it is clear that so few calls are not what makes it slow.
  const later = between(slowAt + 15_000, quickAt);
  const servedLater = [
    ...critical.since(slowAt + 20_000),
    ...sheddable.since(slowAt + 20_000),
  ].filter(({ atMs, status }) => atMs < quickAt && status === 200).length;
  const important = critical.since(slowAt);
  const served = important.filter(({ status }) => status === 200);
  const share = served.length / important.length;
  const missed = important.filter(({ status }) => status !== 200);
  const mostWaiting = Math.max(...limits.map(({ waiting }) => waiting));

  await waitFor(
    "the limit to grow back",
    async () => {
      await Promise.all(Array.from({ length: 60 }, () => ask(list)));
      return (await metric("upstream_concurrency_limit")) >= start;
    },
    60_000,
  );
  const grownMs = performance.now() - quickAt;
  isOver = true;
  await watch;
  await service.stop();
  const breaker = await breakerOf(gateway.adminUrl, upstream);
  t.diagnostic(
    `limit ${start}, ${least} after 5 s, ${Math.min(...between(slowAt, quickAt))} at least`,
  );
  t.diagnostic(
    `limit ${Math.min(...later)} to ${Math.max(...later)} after 15 s, ${servedLater} served in the last 5 s`,
  );
  t.diagnostic(`waiting at most ${mostWaiting}, grown back after ${Math.round(grownMs)} ms`);
  t.diagnostic(
    `critical: ${JSON.stringify(statuses(important))}, p99 ${percentile(served, 0.99).toFixed(0)} ms`,
  );
  const sentAfter = ({ atMs, tookMs }: Sample) =>
    `${(atMs - slowAt).toFixed(0)} + ${tookMs.toFixed(0)}`;
  t.diagnostic(`not served, sent after + took: ${missed.map(sentAfter).join(", ")} ms`);
  t.diagnostic(`sheddable: ${JSON.stringify(statuses(sheddable.since(slowAt)))}`);
  t.diagnostic(`breaker: ${JSON.stringify(breaker.transitions)}`);
  assert.ok(least <= start / 2, `${start} → ${least}`);
  assert.ok(Math.max(...later) >= 20, `${later}: all 20 workers are given something to do`);
  assert.ok(mostWaiting <= Math.max(...limits.map(({ limit }) => limit)), `${mostWaiting} wait`);
  assert.ok(share >= 0.99, `${share}`);
});
