import assert from "node:assert/strict";
import { randomBytes, randomUUID } from "node:crypto";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  env: {
    RATE_LIMIT_IP_PER_MINUTE: "25",
    RATE_LIMIT_USER_PER_MINUTE: "15",
    RATE_LIMIT_LOGIN_PER_MINUTE: "10",
    TRUST_PROXY: "127.0.0.1/32",
    CORS_ORIGINS: "https://app.example.com",
  },
  user: { getUser: () => ({}), login: () => ({}), introspect: () => ({}) },
});
after(() => gateway[Symbol.asyncDispose]());

/** An IPv6 network that nobody else has. */
const network = () =>
  `2001:db8:${randomBytes(2).toString("hex")}:${randomBytes(2).toString("hex")}`;
const from = (address: string) => ({ "x-forwarded-for": address });
const introspect = (headers: Record<string, string>) =>
  gateway.fetch("/api/users/ext", { method: "POST", headers });

test("an address may only ask so often, and is told where it stands", async () => {
  const headers = from(`${network()}::1`);
  const first = await introspect(headers);
  assert.equal(first.headers.get("ratelimit-policy"), '"ip";q=25;w=60');
  assert.equal(first.headers.get("ratelimit"), '"ip";r=4;t=4');
  for (let i = 0; i < 4; i++) assert.equal((await introspect(headers)).status, 200);
  const refused = await introspect({ ...headers, origin: "https://app.example.com" });
  assert.equal(refused.status, 429);
  const retryAfter = refused.headers.get("retry-after");
  assert.match(retryAfter ?? "", /^[1-3]$/);
  assert.equal(refused.headers.get("ratelimit"), `"ip";r=0;t=${retryAfter}`);
  assert.equal(((await refused.json()) as { reason: string }).reason, "rate_limited");
  const origin = refused.headers.get("access-control-allow-origin");
  assert.equal(origin, "https://app.example.com", "another origin's page can read it");
});

test("all addresses of an IPv6 network of 64 bits count as one, and others do not", async () => {
  const mine = network();
  const statuses = [];
  for (let i = 0; i < 6; i++) statuses.push((await introspect(from(`${mine}::${i}`))).status);
  assert.deepEqual(statuses, [200, 200, 200, 200, 200, 429]);
  assert.equal((await introspect(from(`${network()}::1`))).status, 200);
});

test("a user may only ask so often, from however many addresses", async () => {
  const token = await gateway.tokens.issue({ userId: randomUUID() });
  const statuses = [];
  for (let i = 0; i < 4; i++) {
    const headers = { authorization: `Bearer ${token}`, ...from(`${network()}::1`) };
    const response = await gateway.fetch("/api/users/me", { headers });
    statuses.push(response.status);
    assert.match(response.headers.get("ratelimit") ?? "", /^"ip";r=4;t=\d, "user";r=\d;t=\d+$/);
  }
  assert.deepEqual(statuses, [200, 200, 200, 429]);
});

test("attempts to log in are counted on their own, and more strictly", async () => {
  const headers = from(`${network()}::1`);
  const logIn = () =>
    gateway.send("POST", "/api/users/log", { email: "a", password: "b" }, headers);
  const statuses = [(await logIn()).status, (await logIn()).status, (await logIn()).status];
  assert.deepEqual(statuses, [200, 200, 429]);
  assert.equal((await introspect(headers)).status, 200, "anything else is still allowed");
});

test("an address that no proxy can have seen is not believed", async () => {
  const key = randomUUID();
  for (const headers of [from("nonsense"), from(`${key}, 127.0.0.1`), from("")])
    assert.ok([200, 429].includes((await introspect(headers)).status));
});
