import assert from "node:assert/strict";
import { Agent } from "node:http";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { breakerOf, metricOf } from "./admin-pages.ts";
import { Client, items, register } from "./client.ts";
import { type Fleet, startFleet } from "./fleet.ts";
import type { Instance } from "./fleet-instance.ts";
import { replaceSideBySide, rollUnderLoad } from "./rolling-restart.ts";
import { ask, type Sample } from "./stress/ask.ts";
import { statuses } from "./stress/load.ts";

let fleet: Fleet;
before(async () => {
  fleet = await startFleet({ gateways: 2, userServices: 2, orderServices: 2 });
});
after(() => fleet?.stop());

test("calls are balanced over the instances of a service within 20 %", async (t) => {
  const urls = fleet.gateways.map(({ url }) => url);
  const { token } = await register(urls[0] ?? "");
  await whenAllAreConnected(urls, token);
  // Who gets less of a busy machine is rightly called less for a while.
  await waitFor("a balanced round", async () => {
    const before = await counts();
    await Promise.all(
      Array.from({ length: 10 }, async (_, index) => {
        const client = Object.assign(new Client(urls[index % urls.length] ?? ""), { token });
        for (let request = 0; request < 50; request++) {
          assert.equal((await client.get("/api/users/sessions")).status, 200);
          assert.equal((await client.get("/api/orders/list")).status, 200);
        }
      }),
    );
    const now = await counts();
    const calls = (["users", "orders"] as const).map((service) =>
      now[service].map((count, index) => count - (before[service][index] ?? 0)),
    );
    t.diagnostic(JSON.stringify(calls));
    return calls.every(isBalanced);
  });
});

test("all processes are replaced under load, and no request fails", (t) =>
  rollUnderLoad(t, fleet, replaceSideBySide));

test("one of two instances is killed: what it had under way is lost at most, and no breaker opens", async (t) => {
  const [one] = fleet.orderServices;
  const agent = new Agent({ keepAlive: true });
  const clients = await Promise.all(fleet.gateways.map(({ url }) => register(url)));
  const failed: Sample[] = [];
  let answered = 0;
  let isOver = false;
  const place = async ({ token }: Client, gateway: Instance) => {
    const body = { items, currencyCode: "EUR" };
    while (!isOver) {
      const sample = await ask(
        { url: `${gateway.url}/api/orders/add`, method: "POST", token, body },
        agent,
      );
      if (sample.status === 201) answered++;
      else failed.push(sample);
    }
  };
  const underWay = fleet.gateways.flatMap((gateway, index) =>
    Array.from({ length: 16 }, () => place(clients[index] as Client, gateway)),
  );
  await waitFor("orders", () => answered > 300);
  one?.kill();
  const before = answered;
  await waitFor("more orders", () => answered > before + 600);
  isOver = true;
  await Promise.all(underWay);
  agent.destroy();
  t.diagnostic(JSON.stringify(statuses(failed)));
  assert.ok(failed.length <= underWay.length, `${failed.length} failed`);
  for (const { adminUrl } of fleet.gateways)
    assert.deepEqual((await breakerOf(adminUrl, "order-service")).transitions, []);
});

function isBalanced(calls: readonly number[]): boolean {
  const mean = calls.reduce((sum, count) => sum + count) / calls.length;
  return calls.every((count) => Math.abs(count - mean) <= mean / 5);
}

/** Until an address is connected, the other one has all the calls. */
async function whenAllAreConnected(urls: readonly string[], token: string | undefined) {
  for (const url of urls) {
    const client = Object.assign(new Client(url), { token });
    const before = await counts();
    await waitFor("every instance to be called", async () => {
      await Promise.all([client.get("/api/users/sessions"), client.get("/api/orders/list")]);
      const now = await counts();
      const isCalled = (service: "users" | "orders") =>
        now[service].every((count, index) => count > (before[service][index] ?? 0));
      return isCalled("users") && isCalled("orders");
    });
  }
}

async function counts() {
  const of = (instances: readonly Instance[], method: string) =>
    Promise.all(
      instances.map(({ adminUrl }) =>
        metricOf(adminUrl, "rpc_server_duration_seconds_count", { method }),
      ),
    );
  return {
    users: await of(fleet.userServices, "user.v1.UserService/ListSessions"),
    orders: await of(fleet.orderServices, "order.v1.OrderService/ListOrders"),
  };
}
