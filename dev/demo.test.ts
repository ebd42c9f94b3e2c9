import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { loadDemoData } from "./demo.ts";

const { signal } = new AbortController();

/** As much of the API as the demo uses: accounts, and the orders of all. */
async function startApi(t: TestContext) {
  const accounts = new Map<string, string>();
  const orders = new Map<string, object>();
  const calls: string[] = [];
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text ? JSON.parse(text) : {};
    const answer = (status: number, content: object) =>
      response.writeHead(status).end(status === 204 ? "" : JSON.stringify(content));
    const path = request.url?.split("?")[0];
    calls.push(path ?? "");
    if (path === "/api/users/reg") {
      if (accounts.has(body.email)) return answer(409, { code: "already_exists" });
      accounts.set(body.email, body.password);
      return answer(201, { token: "t" });
    }
    if (path === "/api/users/log")
      return accounts.get(body.email) === body.password
        ? answer(200, { token: "t" })
        : answer(401, {});
    if (request.headers.authorization !== "Bearer t") return answer(401, { detail: "no token" });
    if (path === "/api/orders/list")
      return answer(200, { orders: [...orders.values()].slice(0, 1) });
    if (path === "/api/users/out") return answer(204, {});
    orders.set(String(request.headers["idempotency-key"]), body);
    answer(201, { order: body });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    accounts,
    orders,
    calls,
  };
}

test("the demo account gets its orders once, however often the platform starts", async (t) => {
  const { url, accounts, orders, calls } = await startApi(t);
  const options = { url, email: "demo@example.com", password: "long enough to be good", signal };
  await loadDemoData(options);
  assert.ok(!calls.includes("/api/users/log"), "a login of nobody stands in the log as an attack");
  const first = new Map(orders);
  assert.deepEqual([...accounts.keys()], ["demo@example.com"]);
  assert.equal(first.size, 3);
  await loadDemoData(options);
  assert.deepEqual(orders, first);
});

test("an account that is there with another password is left alone, and told of", async (t) => {
  const { url, accounts, orders } = await startApi(t);
  accounts.set("demo@example.com", "somebody else's");
  const options = { url, email: "demo@example.com", password: "long enough to be good", signal };
  await assert.rejects(loadDemoData(options), /demo@example\.com is there already/);
  assert.equal(orders.size, 0);
});
