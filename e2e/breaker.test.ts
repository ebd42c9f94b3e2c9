import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import postgres from "postgres";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { waitFor } from "../dev/wait-for.ts";
import { breakerOf, metricOf } from "./admin-pages.ts";
import { Client, items, placeOrder, register } from "./client.ts";
import { startOrderStandIn } from "./order-stand-in.ts";
import { shared, startSecondGateway } from "./second-gateway.ts";

const upstream = "order-service";
const orderService = { upstream };
const someId = "01890000-0000-7000-8000-000000000000";
let platform: Platform;
let ann: Awaited<ReturnType<typeof register>>;
before(async () => {
  platform = await startPlatform(shared);
  ann = await register(platform.gatewayUrl);
});
after(() => platform.stop());

const addTo = (client: Client, note: string) =>
  client.post("/api/orders/add", { items, currencyCode: "EUR", note });

/** Another gateway, before an order-service that does as told, and Ann at it. */
async function facing(handlers: Parameters<typeof startOrderStandIn>[0]) {
  const service = await startOrderStandIn(handlers);
  const gateway = await startSecondGateway(platform, { ORDER_SERVICE_URL: service.url });
  const client = new Client(gateway.url);
  client.token = ann.token;
  const stop = async () => {
    await gateway.stop();
    await service.stop();
  };
  return { gateway, client, [Symbol.asyncDispose]: stop };
}

/** Runs `count` calls, so many at a time, and counts their statuses. */
async function tally(count: number, atOnce: number, call: (index: number) => Promise<number>) {
  const statuses: Record<number, number> = {};
  let next = 0;
  const worker = async () => {
    while (next < count) {
      const status = await call(next++);
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return statuses;
}

test("20 calls to a service that is killed are 20 × 503, and 3 of 500 try whether it is back", async () => {
  const { gateway, orderService: service, postgres: store } = await platform.now();
  const { id } = await placeOrder(ann);
  process.kill(service.pid, "SIGSTOP");
  const calls = Array.from({ length: 20 }, (_, index) => addTo(ann, `${index}`));
  await waitFor(
    "the calls to be under way",
    async () => (await metricOf(gateway.adminUrl, "upstream_calls_under_way", orderService)) === 20,
  );
  process.kill(service.pid, "SIGKILL");
  const codes = (await Promise.all(calls)).map(({ status, body }) => `${status} ${body.code}`);
  assert.deepEqual(codes, Array(20).fill("503 unavailable"));
  assert.equal((await breakerOf(gateway.adminUrl, upstream)).state, "open");

  await waitFor("the service to be back", async () => {
    const { pid, adminUrl } = (await platform.now()).orderService;
    const answer = pid !== service.pid && (await fetch(`${adminUrl}/readyz`).catch(() => false));
    return answer instanceof Response && answer.ok;
  });
  await waitFor(
    "the open time to be over",
    async () => (await breakerOf(gateway.adminUrl, upstream)).state === "half-open",
  );
  const probing = await holdingOrders(store.url, async () => {
    const answers: number[] = [];
    const all = Array.from({ length: 500 }, async () => {
      const { status } = await ann.get(`/api/orders/info?id=${id}`);
      answers.push(status);
    });
    await waitFor("all others to be turned away", () => answers.length >= 497);
    assert.equal((await breakerOf(gateway.adminUrl, upstream)).leases, 3);
    assert.deepEqual(new Set(answers), new Set([503]));
    return { all, answers };
  });
  await Promise.all(probing.all);
  assert.deepEqual(probing.answers.slice(497), [200, 200, 200]);
  assert.equal((await breakerOf(gateway.adminUrl, upstream)).state, "closed");
});

/** Nobody reads or writes an order meanwhile. */
async function holdingOrders<T>(url: string, use: () => Promise<T>): Promise<T> {
  const sql = postgres(url.replace(/[^/]*$/, "order_service"), { max: 1, onnotice: () => {} });
  try {
    return (await sql.begin(async (held) => {
      await held`lock table orders in access exclusive mode`;
      return use();
    })) as T;
  } finally {
    await sql.end();
  }
}

test("neither 1,000 × 404 nor 200 clients that leave are held against a service", async () => {
  let asked = 0;
  let left = 0;
  await using scene = await facing({
    getOrder: () => {
      throw new ConnectError("no such order", Code.NotFound);
    },
    async listOrders(_request, { signal }) {
      asked++;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      left++;
      return {};
    },
  });
  const { client, gateway } = scene;
  const get = async () => (await client.get(`/api/orders/info?id=${someId}`)).status;
  assert.deepEqual(await tally(1_000, 20, get), { 404: 1_000 });

  // No more at once than the upstream is known to take.
  for (let round = 1; round <= 4; round++) {
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${ann.token}` };
    const lists = Array.from({ length: 50 }, () =>
      fetch(`${gateway.url}/api/orders/list`, { headers, signal: leaving.signal }),
    );
    await waitFor("the service to be asked", () => asked === 50 * round);
    leaving.abort();
    const outcomes = await Promise.allSettled(lists);
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    await waitFor("the service to see them leave", () => left === 50 * round);
  }
  await waitFor(
    "the gateway to have counted",
    async () => (await metricOf(gateway.adminUrl, "upstream_calls_under_way", orderService)) === 0,
  );
  const outcomes = (outcome: string) =>
    metricOf(gateway.adminUrl, "breaker_outcomes_total", { upstream, class: outcome });
  assert.deepEqual(
    [await outcomes("failure"), await outcomes("neutral"), await outcomes("success")],
    [0, 200, 1_000],
  );
  const breaker = await breakerOf(gateway.adminUrl, upstream);
  assert.deepEqual([breaker.state, breaker.transitions], ["closed", []]);
});

test("a service that is unavailable now and then is asked again 50 times, not for ever", async () => {
  let attempts = 0;
  await using scene = await facing({
    getOrder: () => {
      if (attempts++ % 4 === 0) throw new ConnectError("not now", Code.Unavailable);
      return {};
    },
  });
  const get = async () => (await scene.client.get(`/api/orders/info?id=${someId}`)).status;
  const statuses = await tally(1_000, 4, get);
  const excess = attempts - 1_000;
  assert.ok(excess >= 40, `${excess} attempts in excess: it does try again`);
  assert.ok(excess <= 100 + 50 + 10, `${excess} attempts in excess`);
  assert.equal((statuses[200] ?? 0) + (statuses[503] ?? 0), 1_000, JSON.stringify(statuses));
  assert.equal((await breakerOf(scene.gateway.adminUrl, upstream)).state, "closed");
});

test("a service that is never available is left alone, and a POST is delivered once", async () => {
  const delivered: string[] = [];
  let attempts = 0;
  const refuse = () => {
    throw new ConnectError("not now", Code.Unavailable);
  };
  await using scene = await facing({
    createOrder({ note }) {
      delivered.push(note);
      return refuse();
    },
    getOrder() {
      attempts++;
      return refuse();
    },
  });
  const { client, gateway } = scene;
  const notes = ["a", "b", "c", "d", "e"];
  for (const note of notes) assert.equal((await addTo(client, note)).status, 503);
  assert.deepEqual(delivered, notes);

  const get = async () => (await client.get(`/api/orders/info?id=${someId}`)).status;
  assert.deepEqual(await tally(1_000, 50, get), { 503: 1_000 });
  assert.ok(attempts <= 150, `${attempts} attempts: what was under way when the breaker opened`);
  assert.equal((await breakerOf(gateway.adminUrl, upstream)).state, "open");
  assert.ok((await metricOf(gateway.adminUrl, "breaker_rejected_total", orderService)) >= 850);
});
