import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const item = { sku: "x".repeat(64), quantity: 1, unitPriceMinor: 1n };
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: {
    getUser: () => ({ user: { name: "y".repeat(2_000) } }),
    login: () => ({ token: "z".repeat(2_000) }),
  },
  session: { refreshSession: async () => ({ token: await gateway.tokens.issue() }) },
  order: {
    listOrders: () => ({ orders: [{ items: Array(50).fill(item) }] }),
    getOrder: () => ({ order: {} }),
  },
});
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;

test("large answers are compressed, small ones are not", async () => {
  for (const [encoding, path, expected] of [
    ["gzip", "/api/orders/list", "gzip"],
    ["br", "/api/orders/list", "br"],
    ["gzip, br", "/api/orders/list", "br"],
    ["deflate", "/api/orders/list", null],
    ["gzip", "/api/orders/info?id=1", null],
  ] as const) {
    const response = await gateway.fetch(path, {
      headers: { authorization, "accept-encoding": encoding },
    });
    assert.equal(response.headers.get("content-encoding"), expected, `${encoding} ${path}`);
    assert.equal(response.status, 200);
    await response.json();
  }
});

test("an answer that carries a token is never compressed", async () => {
  const all = { "accept-encoding": "gzip, br" };
  const login = await gateway.send("POST", "/api/users/log", {}, all);
  assert.equal(login.headers.get("content-encoding"), null);
  const cookie = "__Host-session_key=key";
  const reissued = await gateway.fetch("/api/users/me", { headers: { ...all, cookie } });
  assert.ok(reissued.headers.get("x-access-token"));
  assert.equal(reissued.headers.get("content-encoding"), null);
});
