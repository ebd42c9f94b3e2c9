import assert from "node:assert/strict";
import { test } from "node:test";
import { Counter, Registry } from "@prometheus-io/client";
import { createAdminServer } from "./admin-server.ts";
import { listen } from "./listen.ts";

async function startAdmin(ready: { now: boolean }) {
  const registry = new Registry();
  new Counter({ name: "tries_total", help: "tries", registers: [registry] }).inc();
  const server = createAdminServer({
    registry,
    isReady: () => ready.now,
    details: new Map([["redis", () => "away"]]),
    pages: new Map([["/breakers", () => ({ body: { orders: "closed" } })]]),
  });
  const url = `http://127.0.0.1:${await listen(server, 0, "127.0.0.1", "ADMIN_PORT")}`;
  return { url, server, [Symbol.dispose]: () => void server.close().closeAllConnections() };
}

test("readyz follows the process, and shows details without failing for them", async () => {
  const ready = { now: false };
  using admin = await startAdmin(ready);
  assert.equal((await fetch(`${admin.url}/readyz`)).status, 503);
  ready.now = true;
  const response = await fetch(`${admin.url}/readyz`);
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { ready: true, redis: "away" });
});

test("livez answers whether ready or not; metrics and further pages are there; the rest is not", async () => {
  using admin = await startAdmin({ now: false });
  assert.equal((await fetch(`${admin.url}/livez`)).status, 200);
  assert.match(await (await fetch(`${admin.url}/metrics?x=1`)).text(), /^tries_total 1$/m);
  assert.deepEqual(await (await fetch(`${admin.url}/breakers`)).json(), { orders: "closed" });
  assert.equal((await fetch(`${admin.url}/__proto__`)).status, 404);
  assert.equal((await fetch(`${admin.url}/livez`, { method: "POST" })).status, 404);
});

test("a port that is taken is told with the setting that moves it", async () => {
  using admin = await startAdmin({ now: true });
  const port = Number(new URL(admin.url).port);
  using other = await startAdmin({ now: true });
  await assert.rejects(
    listen(other.server.close(), port, "127.0.0.1", "GATEWAY_ADMIN_PORT"),
    new RegExp(`port ${port} .* is taken; GATEWAY_ADMIN_PORT sets another`),
  );
});
