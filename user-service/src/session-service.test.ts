import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Code } from "@connectrpc/connect";
import { decodeJwt, decodeProtectedHeader } from "jose";
import { failing } from "../test/failing.ts";
import {
  bearer,
  fromGateway,
  receive,
  startPlatform,
  type TestPlatform,
} from "../test/platform.ts";
import { openTestRedis } from "../test/redis.ts";

let platform: TestPlatform;
let redis: RedisClient;
before(async () => {
  redis = await openTestRedis(process.env.TEST_REDIS_URL);
  platform = await startPlatform(process.env, { copies: 2 });
});
after(async () => {
  await platform?.stop();
  redis?.disconnect();
});

async function refresh(sessionKey: string, request = {}, copy = 0) {
  const answer = receive(fromGateway(sessionKey));
  const response = await platform.sessions(copy).refreshSession(request, answer.options());
  return { ...response, sessionKey: answer.header().get(metadata.sessionKey) };
}

/** Makes the session's key an hour older: Redis' clock is not ours to turn. */
async function age(token: string): Promise<void> {
  const { sub, sid } = decodeJwt(token);
  await redis.hincrby(`auth:s:{${sub}}:${sid}`, "rotated", -3_600_000);
}

/** Somebody whose session key has been replaced, long enough ago for the old one not to count. */
async function registerAndRotate() {
  const ann = await platform.register();
  await age(ann.token);
  const { sessionKey: next, token } = await refresh(ann.sessionKey);
  assert.ok(next);
  await age(ann.token);
  return { ...ann, next, nextToken: token };
}

test("a session key buys a token of the same session", async () => {
  const ann = await platform.register();
  const { token, tokenExpiresInSeconds, sessionKey } = await refresh(ann.sessionKey);
  assert.equal(sessionKey, null, "the key is young");
  assert.equal(tokenExpiresInSeconds, 300);
  const [before, now] = [decodeJwt(ann.token), decodeJwt(token)];
  assert.deepEqual([now.sub, now.sid, now.ep], [before.sub, before.sid, before.ep]);
  assert.notEqual(now.jti, before.jti);
  await platform.users(1).getUser({}, { headers: bearer(token) });
});

test("a token says what it has to, and nothing personal", async () => {
  const { id, token } = await platform.register();
  const { kid, ...header } = decodeProtectedHeader(token);
  const { jti, sid, iat, exp, ...claims } = decodeJwt(token);
  const { keys } = await platform.sessions().getSigningKeys({}, { headers: fromGateway() });
  assert.ok(keys.some((key) => key.id === kid));
  assert.deepEqual(header, { alg: "EdDSA", typ: "at+jwt" });
  assert.deepEqual(claims, {
    iss: "3l1/user-service",
    aud: "3l1",
    sub: id,
    gen: 0,
    ep: 0,
    roles: ["user"],
  });
  assert.ok(jti && sid && exp && iat && exp - iat === 300);
});

test("parallel refreshes on all copies get one and the same new key", async () => {
  const { sessionKey, token } = await platform.register();
  await age(token);
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) => refresh(sessionKey, {}, index % 2)),
  );
  assert.equal(new Set(answers.map((answer) => answer.sessionKey)).size, 1);
  assert.match(answers[0]?.sessionKey ?? "", /^[\w-]{98}$/);
});

test("an old key that comes back after the new one was used ends the session everywhere", async () => {
  const { sessionKey, next, headers, nextToken } = await registerAndRotate();
  assert.equal((await refresh(sessionKey)).sessionKey, next, "nobody has used the new one yet");
  await refresh(next);
  await age(nextToken);
  assert.equal((await failing(refresh(sessionKey))).code, Code.Unauthenticated);
  assert.equal((await failing(refresh(next))).code, Code.Unauthenticated);
  for (const copy of [0, 1])
    for (const dead of [bearer(nextToken), headers])
      await waitFor("the tokens to be refused", () =>
        platform
          .users(copy)
          .getUser({}, { headers: dead })
          .then(
            () => false,
            () => true,
          ),
      );
  assert.match(platform.output(), /"audit":"session key stolen"/);
});

test("confirming a generation retires the key before it", async () => {
  const { sessionKey, next, id, token } = await registerAndRotate();
  const sessionId = String(decodeJwt(token).sid);
  const confirmation = { userId: id, sessionId, generation: 1 };
  await platform.sessions(1).confirmSession(confirmation, { headers: fromGateway() });
  assert.equal((await failing(refresh(sessionKey))).code, Code.Unauthenticated);
  assert.equal((await failing(refresh(next))).code, Code.Unauthenticated);
});

test("the expired token that came along has to be of the same user and session", async () => {
  const [ann, bob] = [await platform.register("Ann"), await platform.register("Bob")];
  const sid = (token: string) => String(decodeJwt(token).sid);
  for (const request of [
    { expectedUserId: bob.id },
    { expectedSessionId: sid(bob.token) },
    { expectedUserId: ann.id, expectedSessionId: sid(bob.token) },
  ])
    assert.equal((await failing(refresh(ann.sessionKey, request))).code, Code.Unauthenticated);
  await refresh(ann.sessionKey, { expectedUserId: ann.id, expectedSessionId: sid(ann.token) });
});

test("a forged key is refused and hurts no session", async () => {
  const { sessionKey } = await platform.register();
  const forged = Buffer.from(sessionKey, "base64url");
  forged[40] = (forged[40] ?? 0) + 1;
  for (const key of [forged.toString("base64url"), "", "x".repeat(98)])
    assert.equal((await failing(refresh(key))).code, Code.Unauthenticated);
  await refresh(sessionKey);
});

test("the user's epoch in PostgreSQL has the last word, whatever Redis says", async () => {
  const { id, sessionKey } = await platform.register();
  await platform.sql`update users set session_epoch = session_epoch + 1 where id = ${id}`;
  assert.equal((await failing(refresh(sessionKey))).code, Code.Unauthenticated);
});

test("a user who is gone gets no token", async () => {
  const { id, sessionKey } = await platform.register();
  await platform.sql`delete from users where id = ${id}`;
  assert.equal((await failing(refresh(sessionKey))).code, Code.Unauthenticated);
});

test("only processes of the platform are answered, users with a token are not", async () => {
  const { headers, sessionKey } = await platform.register();
  const stranger = { ...headers, [metadata.sessionKey]: sessionKey };
  const wrong = { ...stranger, [metadata.serviceCredential]: "d3Jvbmc" };
  const nobody = "01980000-0000-7000-8000-000000000001";
  for (const header of [{}, stranger, wrong]) {
    const options = { headers: header };
    const calls = [
      platform.sessions().refreshSession({}, options),
      platform.sessions().getSigningKeys({}, options),
      platform.sessions().confirmSession({ userId: nobody, sessionId: nobody }, options),
    ];
    for (const { code } of await Promise.all(calls.map(failing)))
      assert.equal(code, Code.PermissionDenied);
  }
});
