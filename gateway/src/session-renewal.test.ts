import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import type { RefreshSessionRequest } from "@3l1/gen/user/v1/session_service_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import {
  cookie,
  cookieName,
  newKey,
  oldKey,
  type SessionGateway,
  startSessionGateway,
} from "../test/session-gateway.ts";
import { createTokenMaker } from "../test/tokens.ts";

let gateway: SessionGateway;
beforeEach(async () => {
  gateway = await startSessionGateway(process.env.TEST_REDIS_URL);
});
afterEach(() => gateway[Symbol.asyncDispose]());

const refreshes = () => gateway.callsOf("RefreshSession");
const asked = () => refreshes()[0] ?? assert.fail("no refresh");

test("an expired token with a cookie is reissued on the same answer", async () => {
  const expired = await gateway.bearer(-1);
  const response = await gateway.ask({ ...expired, cookie: cookie() });
  assert.equal(response.status, 200);
  const token = response.headers.get("x-access-token");
  assert.equal(response.headers.get("x-access-token-expires-in"), "300");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.deepEqual(response.headers.getSetCookie(), [
    `${cookieName}=${newKey}; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Strict`,
  ]);
  assert.equal(response.headers.get("session-key"), null);
  assert.equal(response.headers.get("session-key-max-age"), null);
  const { header } = gateway.callsOf("GetUser")[0] ?? assert.fail("no call");
  assert.equal(header.get("authorization"), `Bearer ${token}`);
});

test("the user-service is told whose the expired token was, and who asks from where", async () => {
  const headers = { ...(await gateway.bearer(-1)), cookie: cookie(), "user-agent": "Firefox ü" };
  await gateway.ask(headers);
  assert.deepEqual(asked().message, {
    $typeName: "user.v1.RefreshSessionRequest",
    expectedUserId: "ann",
    expectedSessionId: "s1",
  });
  assert.equal(asked().header.get("session-key"), oldKey);
  assert.equal(asked().header.get("client-ip"), "127.0.0.1");
  assert.match(asked().header.get("client-device") ?? "", /^Firefox [?]+$/);
  assert.equal(asked().header.get("authorization"), null);
});

test("a cookie alone does as well, and a key that stays is not set again", async () => {
  gateway.refresh = () => gateway.tokens.issue();
  const response = await gateway.ask({ cookie: cookie() });
  assert.equal(response.status, 200);
  assert.ok(response.headers.get("x-access-token"));
  assert.deepEqual(response.headers.getSetCookie(), []);
  assert.equal((asked().message as RefreshSessionRequest).expectedUserId, "");
});

test("the new token comes with errors too", async () => {
  const response = await gateway.ask({ cookie: cookie() }, "/api/users/sessions");
  assert.equal(response.status, 404);
  assert.ok(response.headers.get("x-access-token"));
  assert.equal(response.headers.getSetCookie().length, 1);
  const malformed = await gateway.ask({ cookie: cookie() }, "/api/orders/list?pageSize=x");
  assert.equal(malformed.status, 400);
  assert.ok(malformed.headers.get("x-access-token"));
});

test("requests with one cookie at one time share one refresh", async () => {
  const gate = Promise.withResolvers<void>();
  const { refresh } = gateway;
  gateway.refresh = async (context) => {
    await gate.promise;
    return refresh(context);
  };
  const pending = Array.from({ length: 20 }, () => gateway.ask({ cookie: cookie() }));
  const other = gateway.ask({ cookie: cookie("another-key") });
  while (refreshes().length < 2) await new Promise(setImmediate);
  gate.resolve();
  const responses = await Promise.all([...pending, other]);
  assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([200]));
  assert.equal(refreshes().length, 2);
  const tokens = responses.slice(0, 20).map(({ headers }) => headers.get("x-access-token"));
  assert.equal(new Set(tokens).size, 1);
  await gateway.ask({ cookie: cookie() });
  assert.equal(refreshes().length, 3, "the next one asks again");
});

test("a client that leaves takes the refresh from nobody else", async () => {
  const gate = Promise.withResolvers<void>();
  const { refresh } = gateway;
  gateway.refresh = async (context) => {
    await gate.promise;
    return refresh(context);
  };
  const leaving = new AbortController();
  const init = { headers: { cookie: cookie() }, signal: leaving.signal };
  const left = gateway.fetch("/api/users/me", init).catch((error: Error) => error.name);
  while (refreshes().length === 0) await new Promise(setImmediate);
  const stays = gateway.ask({ cookie: cookie() });
  leaving.abort();
  assert.equal(await left, "AbortError");
  gate.resolve();
  assert.equal((await stays).status, 200);
});

test("a refresh whose answer is late is asked for once more", async () => {
  const { refresh } = gateway;
  let count = 0;
  gateway.refresh = (context) => (count++ === 0 ? new Promise(() => {}) : refresh(context));
  assert.equal((await gateway.ask({ cookie: cookie() })).status, 200);
  assert.equal(count, 2);
});

test("a session that is over is 401, and the cookie stays", async () => {
  gateway.refresh = async () => {
    throw new ConnectError("gone", Code.Unauthenticated);
  };
  const response = await gateway.ask({ cookie: cookie() });
  assert.equal(response.status, 401);
  assert.equal(response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  assert.deepEqual(response.headers.getSetCookie(), []);
});

test("when nobody can tell whether the session lives it is 503, and the cookie stays", async () => {
  gateway.refresh = async () => {
    throw failure(Code.Unavailable, "no Redis", Reason.SESSION_STORE_UNAVAILABLE, 1_000);
  };
  const response = await gateway.ask({ cookie: cookie() });
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("retry-after"), "1");
  assert.equal(((await response.json()) as { reason: string }).reason, "session_store_unavailable");
  assert.deepEqual(response.headers.getSetCookie(), []);
  await gateway.stopServices();
  assert.equal((await gateway.ask({ cookie: cookie() })).status, 503);
});

test("trouble between ourselves and the user-service is 500, and says nothing of it", async () => {
  gateway.refresh = async () => {
    throw new ConnectError("only for processes of the platform", Code.PermissionDenied);
  };
  const response = await gateway.ask({ cookie: cookie() });
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /processes/);
  assert.ok(
    gateway.lines.some(({ level }) => level === 50),
    "but the log does",
  );
});

test("a token that nobody can verify is not handed out", async () => {
  const stranger = await createTokenMaker();
  gateway.refresh = () => stranger.issue();
  const response = await gateway.ask({ cookie: cookie() });
  assert.equal(response.status, 500);
  assert.equal(response.headers.get("x-access-token"), null);
});
