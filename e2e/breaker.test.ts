import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { concurrencyRules } from "@3l1/kit/resilience/resilience-constants.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { breakerOf, metricOf } from "./admin-pages.ts";
import { Client, items, register } from "./client.ts";
import { startOrderStandIn } from "./order-stand-in.ts";
import { shared, startSecondGateway } from "./second-gateway.ts";

const upstream = "order-service";
const orderService = { upstream };
const someId = "01890000-0000-7000-8000-000000000000";
let platform: Platform;
let ann: Awaited<ReturnType<typeof register>>;
before(async () => {
  // No story here is about deadlines, and a busy machine would meet them.
  platform = await startPlatform({ ...shared, UPSTREAM_TIMEOUT_MS: "60000" });
  ann = await register(platform.gatewayUrl);
});
after(() => platform.stop());

const addTo = (client: Client, note: string) =>
  client.post("/api/orders/add", { items, currencyCode: "EUR", note });

/** Another gateway, before an order-service that does as told, and Ann at it. */
async function facing(
  handlers: Parameters<typeof startOrderStandIn>[0],
  env: Readonly<Record<string, string>> = {},
) {
  const service = await startOrderStandIn(handlers);
  const gateway = await startSecondGateway(platform, { ORDER_SERVICE_URL: service.url, ...env });
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

test("20 calls to a service that is killed are 20 × 503, and the breaker closes when it is back", async () => {
  const { gateway, orderService: service } = await platform.now();
  process.kill(service.pid, "SIGSTOP");
  const calls = Array.from({ length: 20 }, (_, index) => addTo(ann, `${index}`));
  const underWay = () => metricOf(gateway.adminUrl, "upstream_calls_under_way", orderService);
  await waitFor("the calls to be under way", async () => (await underWay()) === 20);
  process.kill(service.pid, "SIGKILL");
  const codes = (await Promise.all(calls)).map(({ status, body }) => `${status} ${body.code}`);
  assert.deepEqual(codes, Array(20).fill("503 unavailable"));
  const opened = (await breakerOf(gateway.adminUrl, upstream)).transitions.at(-1);
  assert.deepEqual([opened?.from, opened?.to], ["closed", "open"]);

  const lists = async () => (await ann.get("/api/orders/list")).status === 200;
  await waitFor("orders to be read again", lists);
  await waitFor("the breaker to close", async () => {
    await lists();
    return (await breakerOf(gateway.adminUrl, upstream)).state === "closed";
  });
});

test("exactly 3 of 500 parallel calls try whether a service is back", async () => {
  let asked = 0;
  const gate = Promise.withResolvers<void>();
  let isBack = false;
  await using scene = await facing(
    {
      async getOrder() {
        if (!isBack) throw new ConnectError("not now", Code.Unavailable);
        asked++;
        await gate.promise;
        return {};
      },
    },
    { UPSTREAM_TIMEOUT_MS: "60000" },
  );
  const { client, gateway } = scene;
  const get = async () => (await client.get(`/api/orders/info?id=${someId}`)).status;
  const stateIs = (state: string) => async () =>
    (await breakerOf(gateway.adminUrl, upstream)).state === state;
  await waitFor("the breaker to open", async () => (await get()) === 503 && stateIs("open")());
  isBack = true;
  await waitFor("the open time to be over", stateIs("half-open"));
  const answers: number[] = [];
  const all = Array.from({ length: 500 }, async () => void answers.push(await get()));
  await waitFor("all others to be turned away", () => answers.length >= 497);
  assert.deepEqual([asked, new Set(answers)], [3, new Set([503])]);
  gate.resolve();
  await Promise.all(all);
  assert.deepEqual(answers.slice(497), [200, 200, 200]);
  assert.ok(await stateIs("closed")());
});

test("neither 1,000 × 404 nor 200 clients that leave are held against a service", async () => {
  let asked = 0;
  let left = 0;
  await using scene = await facing(
    {
      getOrder: () => {
        throw new ConnectError("no such order", Code.NotFound);
      },
      async listOrders(_request, { signal }) {
        asked++;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        left++;
        return {};
      },
    },
    { UPSTREAM_TIMEOUT_MS: "60000" },
  );
  const { client, gateway } = scene;
  const get = async () => (await client.get(`/api/orders/info?id=${someId}`)).status;
  assert.deepEqual(await tally(1_000, 20, get), { 404: 1_000 });

  // No more at once than the upstream is given however slow the machine is: what the adaptive limit never falls below.
  const atOnce = concurrencyRules.minLimit;
  for (let round = 1; round <= 200 / atOnce; round++) {
    const leaving = new AbortController();
    const headers = { authorization: `Bearer ${ann.token}` };
    const lists = Array.from({ length: atOnce }, () =>
      fetch(`${gateway.url}/api/orders/list`, { headers, signal: leaving.signal }),
    );
    await waitFor("the service to be asked", () => asked === atOnce * round);
    leaving.abort();
    const outcomes = await Promise.allSettled(lists);
    assert.ok(outcomes.every(({ status }) => status === "rejected"));
    await waitFor("the service to see them leave", () => left === atOnce * round);
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
