import assert from "node:assert/strict";
import { after, test } from "node:test";
import { cookie, startSessionGateway } from "../../test/session-gateway.ts";
import { isCrossSite } from "./csrf.ts";

const gateway = await startSessionGateway(process.env.TEST_REDIS_URL);
after(() => gateway[Symbol.asyncDispose]());
const evil = { origin: "https://evil.example" };

test("browsers tell where a request comes from", () => {
  const from = (headers: Record<string, string>, host = "shop.example:8080") =>
    isCrossSite({ headers, host }, new Set(["https://app.example.com"]));
  assert.equal(from({}), false, "no browser");
  assert.equal(from({ "sec-fetch-site": "same-origin" }), false);
  assert.equal(from({ "sec-fetch-site": "same-site" }), true);
  assert.equal(from({ "sec-fetch-site": "cross-site" }), true);
  assert.equal(from({ "sec-fetch-site": "none" }), true);
  assert.equal(from({ "sec-fetch-site": "cross-site", origin: "https://app.example.com" }), false);
  assert.equal(from({ origin: "https://app.example.com" }), false);
  assert.equal(from({ origin: "https://app.example.com.evil.example" }), true);
  assert.equal(from({ origin: "http://shop.example:8080" }), false);
  assert.equal(from({ origin: "http://shop.example:8080" }, "SHOP.example:8080"), false);
  assert.equal(from({ origin: "http://shop.example" }), true);
  assert.equal(from({ origin: "https://shop.example" }, "shop.example"), false);
  assert.equal(from({ origin: "null" }), true);
  assert.equal(from({ origin: "nonsense" }, ""), true);
});

test("another site cannot act by the cookie, our own pages can", async () => {
  const remove = (headers: Record<string, string>) =>
    gateway.ask({ cookie: cookie(), ...headers }, "/api/users/del", "DELETE");
  const refused = await remove(evil);
  assert.equal(refused.status, 403);
  assert.equal(((await refused.json()) as { reason: string }).reason, "cross_site");
  assert.equal(gateway.callsOf("RefreshSession").length, 0);
  assert.equal((await remove({ origin: `http://127.0.0.1:${gateway.port}` })).status, 204);
  assert.equal((await remove({ origin: "https://app.example.com" })).status, 204);
  const reads = await gateway.ask({ cookie: cookie(), ...evil });
  assert.equal(reads.status, 200, "it may ask to read, and cannot see the answer");
});

test("a genuine token, expired or not, does instead of an origin", async () => {
  for (const lifeSeconds of [300, -1]) {
    const headers = { ...evil, cookie: cookie(), ...(await gateway.bearer(lifeSeconds)) };
    assert.equal((await gateway.ask(headers, "/api/users/del", "DELETE")).status, 204);
  }
});

test("another site cannot log its visitors in", async () => {
  const logIn = (headers: Record<string, string>) =>
    gateway.send("POST", "/api/users/log", { email: "a@b.c", password: "x" }, headers);
  assert.equal((await logIn(evil)).status, 403);
  assert.equal((await logIn({ ...evil, authorization: "Bearer nonsense" })).status, 403);
  assert.equal((await logIn({ "sec-fetch-site": "cross-site" })).status, 403);
  assert.equal(gateway.callsOf("Login").length, 0);
  assert.equal((await logIn({ ...evil, ...(await gateway.bearer(-1)) })).status, 200);
  const response = await logIn({ "sec-fetch-site": "same-origin" });
  assert.equal(response.status, 200);
  assert.equal(response.headers.getSetCookie().length, 1);
  const { header } = gateway.callsOf("Login").at(-1) ?? assert.fail("no call");
  assert.equal(header.get("service-credential"), gateway.credential);
});
