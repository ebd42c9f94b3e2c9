import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  env: { CORS_ORIGINS: "https://app.example.com" },
});
after(() => gateway[Symbol.asyncDispose]());

test("an origin that is allowed may call with credentials and read our headers", async () => {
  const origin = "https://app.example.com";
  const response = await gateway.fetch("/api/users/me", { headers: { origin } });
  assert.equal(response.headers.get("access-control-allow-origin"), origin);
  assert.equal(response.headers.get("access-control-allow-credentials"), "true");
  assert.match(response.headers.get("vary") ?? "", /Origin/);
  const exposed = response.headers.get("access-control-expose-headers") ?? "";
  for (const name of [
    "X-Access-Token",
    "X-Access-Token-Expires-In",
    "X-Request-ID",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
  ])
    assert.ok(exposed.split(", ").includes(name), name);
});

test("a preflight is answered before anything else", async () => {
  const headers = {
    origin: "https://app.example.com",
    "access-control-request-method": "PATCH",
    "access-control-request-headers": "authorization,content-type,idempotency-key",
  };
  const response = await gateway.fetch("/api/orders/status", { method: "OPTIONS", headers });
  assert.equal(response.status, 204);
  assert.match(response.headers.get("access-control-allow-methods") ?? "", /PATCH/);
  const allowed = (response.headers.get("access-control-allow-headers") ?? "").toLowerCase();
  for (const name of [
    "authorization",
    "content-type",
    "idempotency-key",
    "connect-protocol-version",
  ])
    assert.ok(allowed.split(", ").includes(name), name);
  assert.equal(response.headers.get("ratelimit"), null);
});

test("an origin that is not allowed gets no word of it", async () => {
  const headers = { origin: "https://evil.example" };
  const response = await gateway.fetch("/api/users/me", { headers });
  assert.equal(response.headers.get("access-control-allow-origin"), null);
  assert.match(response.headers.get("vary") ?? "", /Origin/);
});
