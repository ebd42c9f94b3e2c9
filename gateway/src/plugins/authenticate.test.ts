import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { headOf, rawRequest } from "../../test/raw-request.ts";
import {
  cookie,
  cookieName,
  me,
  newKey,
  oldKey,
  type SessionGateway,
  startSessionGateway,
} from "../../test/session-gateway.ts";
import { createTokenMaker } from "../../test/tokens.ts";
import { maxRevocationSilenceMs } from "../limits.ts";

let gateway: SessionGateway;
beforeEach(async () => {
  gateway = await startSessionGateway(process.env.TEST_REDIS_URL);
});
afterEach(() => gateway[Symbol.asyncDispose]());

test("a valid token goes through, and travels on to the service", async () => {
  const { authorization } = await gateway.bearer();
  const response = await gateway.ask({ authorization, cookie: cookie() });
  assert.equal(response.status, 200);
  const { header } = gateway.callsOf("GetUser")[0] ?? assert.fail("no call");
  assert.equal(header.get("authorization"), authorization);
  for (const name of ["session-key", "service-credential", "client-ip", "client-device", "cookie"])
    assert.equal(header.get(name), null, `${name} is for methods that deal with sessions`);
  assert.equal(gateway.callsOf("RefreshSession").length, 0);
});

test("without credentials it is 401 with a bare challenge", async () => {
  const response = await gateway.ask({});
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("www-authenticate"), "Bearer");
});

test("a bad token is 401 and never falls back to the cookie", async () => {
  const { authorization } = await gateway.bearer();
  const foreign = await (await createTokenMaker()).issue();
  for (const bad of [
    "Bearer nonsense",
    "Basic YW5uOnB3",
    "Bearer",
    `${authorization.slice(0, -4)}AAAA`,
    `Bearer ${foreign}`,
  ]) {
    const response = await gateway.ask({ authorization: bad, cookie: cookie() });
    assert.equal(response.status, 401, bad);
    assert.equal(response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
    assert.deepEqual(response.headers.getSetCookie(), []);
  }
  assert.equal(gateway.callsOf("RefreshSession").length, 0);
});

test("when the signing keys cannot be had it is 503, not 401", async () => {
  await gateway.stopServices();
  const response = await gateway.ask(await gateway.bearer());
  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as { reason: string }).reason, "signing_keys_unavailable");
});

test("two tokens or two session cookies are 400", async () => {
  const { authorization } = await gateway.bearer();
  const twice = await rawRequest(
    gateway.port,
    headOf(
      `GET ${me} HTTP/1.1`,
      "host: localhost",
      `authorization: ${authorization}`,
      "authorization: Bearer other",
      "connection: close",
    ),
  );
  assert.match(twice, /^HTTP\/1\.1 400 /);
  const cookies = { cookie: `${cookie()}; ${cookieName}=planted` };
  assert.equal((await gateway.ask(cookies)).status, 400);
});

test("a revoked token is 401, cookie or not", async () => {
  gateway.isRevoked = true;
  const response = await gateway.ask({ ...(await gateway.bearer()), cookie: cookie() });
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  assert.equal(gateway.callsOf("RefreshSession").length, 0);
});

test("what a call revokes is refused here at once, and not told to the client", async () => {
  const body = { role: "ROLE_USER" };
  const headers = await gateway.bearer();
  const response = await gateway.send("PATCH", "/api/users/role", body, headers);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("revocation"), null);
  assert.deepEqual(gateway.revocations, [{ userId: "bob", epoch: 3, untilMs: 9_999_999_999_999 }]);
});

test("not knowing what was revoked, tokens may read but change nothing", async () => {
  gateway.silentMs = maxRevocationSilenceMs + 1;
  const headers = await gateway.bearer();
  assert.equal((await gateway.ask(headers)).status, 200);
  const response = await gateway.ask(headers, "/api/users/del", "DELETE");
  assert.equal(response.status, 503);
  assert.equal(((await response.json()) as { reason: string }).reason, "session_store_unavailable");
  const loggedOut = await gateway.ask(headers, "/api/users/out", "POST");
  assert.equal(loggedOut.status, 204, "logging out is fine");
});

test("public routes look at no token, and hand on what came", async () => {
  const { authorization: stale } = await gateway.bearer(-1);
  for (const authorization of [stale, "Bearer nonsense"]) {
    const response = await gateway.ask(
      { authorization, cookie: cookie() },
      "/api/users/ext",
      "POST",
    );
    assert.equal(response.status, 200);
    const { header } = gateway.callsOf("Introspect").at(-1) ?? assert.fail("no call");
    assert.equal(header.get("authorization"), authorization);
    assert.equal(header.get("session-key"), null);
  }
  assert.equal(gateway.callsOf("RefreshSession").length, 0);
});

test("logging out needs the session key alone, and clears the cookie", async () => {
  const response = await gateway.ask(
    { cookie: cookie() },
    "/api/users/out?everywhere=true",
    "POST",
  );
  assert.equal(response.status, 204);
  assert.deepEqual(response.headers.getSetCookie(), [
    `${cookieName}=; Max-Age=0; Path=/; HttpOnly; Secure; SameSite=Strict`,
  ]);
  const { header } = gateway.callsOf("Logout")[0] ?? assert.fail("no call");
  assert.equal(header.get("session-key"), oldKey);
  assert.equal(gateway.callsOf("RefreshSession").length, 0);
});

test("logging out again, by a token that the first time has revoked, is left to the service", async () => {
  gateway.isRevoked = true;
  const again = await gateway.ask(await gateway.bearer(), "/api/users/out", "POST");
  assert.equal(again.status, 204);
  assert.equal((await gateway.ask({}, "/api/users/out", "POST")).status, 401);
});

test("a method that opens a session replaces what was reissued on the way to it", async () => {
  const body = { currentPassword: "a", newPassword: "b" };
  const headers = { cookie: cookie() };
  const response = await gateway.send("POST", "/api/users/password", body, headers);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("x-access-token"), null);
  const names = response.headers.getSetCookie().map((line) => line.split(";")[0]);
  assert.deepEqual(names, [`${cookieName}=other-key`]);
  assert.equal(gateway.callsOf("ChangePassword")[0]?.header.get("session-key"), newKey);
});

test("a session is confirmed once, when a token of it is first seen", async () => {
  for (let i = 0; i < 3; i++) {
    const token = await gateway.tokens.issue({ generation: 4 });
    await gateway.ask({ authorization: `Bearer ${token}` });
  }
  await gateway.ask({ cookie: cookie() });
  while (gateway.callsOf("ConfirmSession").length === 0) await new Promise(setImmediate);
  assert.deepEqual(
    gateway.callsOf("ConfirmSession").map(({ message }) => message),
    [{ $typeName: "user.v1.ConfirmSessionRequest", userId: "ann", sessionId: "s1", generation: 4 }],
  );
});
