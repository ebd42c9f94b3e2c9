import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { type Client, placeOrder, register } from "./client.ts";

const origin = "https://app.example.com";
let platform: Platform;
let ann: Client;
before(async () => {
  platform = await startPlatform({ CORS_ORIGINS: origin, RATE_LIMIT_LOGIN_PER_MINUTE: "50" });
  ann = await register(platform.gatewayUrl);
  for (let order = 0; order < 5; order++) await placeOrder(ann, "x".repeat(200));
});
after(() => platform.stop());

function ask(path: string, headers: Record<string, string> = {}) {
  const authorization = `Bearer ${ann.token}`;
  return fetch(platform.gatewayUrl + path, { headers: { authorization, ...headers } });
}

test("large answers are compressed as the client likes it, and say that they depend on it", async () => {
  const plain = await ask("/api/orders/list", { "accept-encoding": "identity" });
  assert.equal(plain.headers.get("content-encoding"), null);
  const text = await plain.text();
  assert.ok(text.length > 1024);
  for (const encoding of ["gzip", "br"]) {
    const answer = await ask("/api/orders/list", { "accept-encoding": encoding });
    assert.equal(answer.headers.get("content-encoding"), encoding);
    assert.match(answer.headers.get("vary") ?? "", /accept-encoding/i);
    assert.equal(await answer.text(), text);
  }
  const small = await ask("/api/users/me", { "accept-encoding": "gzip, br" });
  assert.equal(small.headers.get("content-encoding"), null);
  await small.text();
});

test("an answer that carries a token is not compressed, nor is a stream", async () => {
  const path = `${platform.gatewayUrl}/api/orders/list`;
  const headers = { cookie: ann.cookie ?? "", "accept-encoding": "gzip, br" };
  const reissued = await fetch(path, { headers });
  assert.ok(reissued.headers.get("x-access-token"));
  assert.equal(reissued.headers.get("content-encoding"), null);
  assert.ok((await reissued.text()).length > 1024);

  const stream = await ask("/api/orders/watch", { "accept-encoding": "gzip, br" });
  assert.equal(stream.headers.get("content-type")?.split(";")[0], "text/event-stream");
  assert.equal(stream.headers.get("content-encoding"), null);
  await stream.body?.cancel();
});

test("a page of another origin can read that it asks too often, and when to come back", async () => {
  const body = JSON.stringify({ email: "nobody@example.com", password: "not any password" });
  const logIn = () =>
    fetch(`${platform.gatewayUrl}/api/users/log`, {
      method: "POST",
      headers: { origin, "content-type": "application/json" },
      body,
    });
  let answer = await logIn();
  for (let attempt = 0; answer.status === 401 && attempt < 60; attempt++) answer = await logIn();
  assert.equal(answer.status, 429);
  assert.equal(answer.headers.get("access-control-allow-origin"), origin);
  assert.equal(answer.headers.get("access-control-allow-credentials"), "true");
  assert.match(answer.headers.get("vary") ?? "", /origin/i);
  const exposed = (answer.headers.get("access-control-expose-headers") ?? "").toLowerCase();
  for (const name of ["retry-after", "ratelimit", "ratelimit-policy"]) {
    assert.ok(answer.headers.has(name), name);
    assert.ok(exposed.split(/, */).includes(name), name);
  }
});
