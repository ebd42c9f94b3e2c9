import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { waitFor } from "../../dev/wait-for.ts";
import { metricOf } from "../admin-pages.ts";
import { items, placeOrder, register } from "../client.ts";

/** Of each user, as many as they may have. */
const streamsEach = 8;
const users = 250;
const watchersInAll = users * streamsEach;

type User = Awaited<ReturnType<typeof register>>;
let platform: Platform;
before(async () => {
  platform = await startPlatform();
});
after(() => platform.stop());

/** A stream over a plain socket: 2,000 of a full client would be most of the memory of this machine. */
class Stream {
  readonly socket: Socket;
  text = "";

  constructor(url: URL, { token }: User) {
    this.socket = connect(Number(url.port), url.hostname);
    this.socket.on("error", () => {});
    this.socket.setEncoding("latin1").on("data", (text: string) => {
      this.text += text;
    });
    this.socket.write(
      `GET /api/orders/watch HTTP/1.1\r\nhost: ${url.host}\r\nauthorization: Bearer ${token}\r\n\r\n`,
    );
  }

  get isOpen(): boolean {
    return this.text.includes(": heartbeat");
  }

  told(id: string): number {
    return this.text.split(`"id":"${id}"`).length - 1;
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s*(\d+)/.exec(status)?.[1]) * 1024;
}

async function eachOf<T, R>(things: readonly T[], atOnce: number, act: (thing: T) => Promise<R>) {
  const results: R[] = [];
  for (let i = 0; i < things.length; i += atOnce)
    results.push(...(await Promise.all(things.slice(i, i + atOnce).map(act))));
  return results;
}

test("2,000 streams hear of a change each, once, and slow ones are cut without harm to others", async (t) => {
  const url = new URL(platform.gatewayUrl);
  const { gateway, orderService } = await platform.now();
  const everybody = await eachOf(Array.from({ length: users }), 8, () =>
    register(platform.gatewayUrl),
  );
  const before = await Promise.all([gateway.pid, orderService.pid].map(residentBytes));
  const streams = everybody.map((user) =>
    Array.from({ length: streamsEach }, () => new Stream(url, user)),
  );
  const all = streams.flat();
  await waitFor("all streams", () => all.every(({ isOpen }) => isOpen), 60_000);
  assert.equal(await metricOf(orderService.adminUrl, "order_watchers"), watchersInAll);
  const open = await Promise.all([gateway.pid, orderService.pid].map(residentBytes));
  const growth = open.map((bytes, i) => Math.round((bytes - (before[i] ?? 0)) / 2 ** 20));
  t.diagnostic(
    `${watchersInAll} streams: gateway +${growth[0]} MiB, order-service +${growth[1]} MiB`,
  );

  const startedAt = performance.now();
  const orders = await eachOf(everybody, 20, (user) => placeOrder(user));
  const hasHeard = () =>
    streams.every((own, i) => own.every((stream) => stream.told(orders[i]?.id ?? "") > 0));
  await waitFor("everybody to hear", hasHeard, 60_000);
  t.diagnostic(
    `${users} orders told ${watchersInAll} times in ${Math.round(performance.now() - startedAt)} ms`,
  );
  for (const [i, own] of streams.entries())
    for (const stream of own) assert.equal(stream.told(orders[i]?.id ?? ""), 1, "told once");

  const [slow, ...others] = everybody;
  const [slowStreams = [], ...otherStreams] = streams;
  assert.ok(slow);
  for (const { socket } of slowStreams) socket.pause();
  // As much as the buffers on the way take, and more.
  const note = "x".repeat(1_000);
  const lines = Array.from({ length: 100 }, (_, i) => ({
    ...items[0],
    sku: `${i}`.padEnd(64, "s"),
  }));
  const body = { items: lines, currencyCode: "EUR", note };
  const isCut = () =>
    slowStreams.every(({ socket }) => socket.closed || socket.readyState !== "open");
  let sent = 0;
  const deadline = performance.now() + 90_000;
  const openNow = () => metricOf(orderService.adminUrl, "order_watchers");
  while ((await openNow()) > watchersInAll - streamsEach && performance.now() < deadline) {
    await eachOf(Array.from({ length: 100 }), 20, () => slow.post("/api/orders/add", body));
    sent += 100;
  }
  t.diagnostic(`slow ones cut after ${sent} orders; ${isCut() ? "closed" : "open"} on their side`);
  assert.equal(await openNow(), watchersInAll - streamsEach);
  const after = await Promise.all([gateway.pid, orderService.pid].map(residentBytes));
  t.diagnostic(
    `then gateway ${after.map((bytes) => Math.round(bytes / 2 ** 20)).join(", order-service ")} MiB`,
  );

  const more = await eachOf(others, 20, (user) => placeOrder(user));
  const goOn = () =>
    otherStreams.every((own, i) => own.every((stream) => stream.told(more[i]?.id ?? "") === 1));
  await waitFor("the others to go on", goOn, 60_000);
  for (const { socket } of all) socket.destroy();
  await waitFor("all to be gone", async () => (await openNow()) === 0, 30_000);
});
