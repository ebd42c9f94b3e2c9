import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
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
  readonly #url: URL;
  readonly #user: User;
  socket: Socket;
  text = "";
  /** How often it was turned away: a busy process sheds what can wait. */
  refused = 0;

  constructor(url: URL, user: User) {
    this.#url = url;
    this.#user = user;
    this.socket = this.#connect();
  }

  #connect(): Socket {
    const { port, hostname, host } = this.#url;
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.text += text;
    });
    socket.write(
      `GET /api/orders/watch HTTP/1.1\r\nhost: ${host}\r\nauthorization: Bearer ${this.#user.token}\r\n\r\n`,
    );
    return socket;
  }

  /** Comes back until it is taken, as a client would. */
  async open(): Promise<void> {
    for (;;) {
      await waitFor("an answer", () => this.isOpen || this.text.includes("\r\n\r\n{"), 60_000);
      if (this.isOpen) return;
      assert.match(this.text, /^HTTP\/1.1 503 /);
      this.refused++;
      this.socket.destroy();
      this.text = "";
      await sleep(1_000);
      this.socket = this.#connect();
    }
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
  const streams = await eachOf(everybody, 10, async (user) => {
    const own = Array.from({ length: streamsEach }, () => new Stream(url, user));
    await Promise.all(own.map((stream) => stream.open()));
    return own;
  });
  const all = streams.flat();
  t.diagnostic(`turned away in between: ${all.reduce((sum, { refused }) => sum + refused, 0)}`);
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
  let sent = 0;
  const deadline = performance.now() + 90_000;
  const openNow = () => metricOf(orderService.adminUrl, "order_watchers");
  while ((await openNow()) > watchersInAll - streamsEach && performance.now() < deadline) {
    const answers = await eachOf(Array.from({ length: 100 }), 10, () =>
      slow.post("/api/orders/add", body),
    );
    sent += answers.filter(({ status }) => status === 201).length;
  }
  t.diagnostic(`the slow ones were cut within ${sent} orders`);
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
