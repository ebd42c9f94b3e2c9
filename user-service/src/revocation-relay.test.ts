import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { revocationStream } from "@3l1/kit/auth/revocations.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { failing } from "../test/failing.ts";
import { fromGateway, startPlatform, type TestPlatform } from "../test/platform.ts";
import { openTestRedis } from "../test/redis.ts";

let platform: TestPlatform;
before(async () => {
  platform = await startPlatform(process.env, { copies: 2 });
});
after(() => platform?.stop());

const isRefused = (headers: Record<string, string>, copy: number) =>
  platform
    .users(copy)
    .getUser({}, { headers })
    .then(
      () => false,
      ({ code }) => code === Code.Unauthenticated,
    );
const unpublished = async () =>
  (await platform.sql`select 1 from revocations where published_at is null`).length;

test("without Redis, tokens go on, logins wait, and a logout counts all the same", async () => {
  const [ann, bob] = [await platform.register("Ann"), await platform.register("Bob")];
  await platform.redisWay.cut();
  await platform.users(1).getUser({}, { headers: ann.headers });
  const login = await failing(platform.logIn(ann.email));
  assert.equal(login.code, Code.Unavailable);
  assert.equal(reasonOf(login), Reason.SESSION_STORE_UNAVAILABLE);
  const refresh = platform.sessions().refreshSession({}, { headers: fromGateway(ann.sessionKey) });
  assert.equal((await failing(refresh)).code, Code.Unavailable);
  await platform.users(0).logout({}, { headers: ann.headers });
  await platform.users(0).logout({ everywhere: true }, { headers: bob.headers });
  assert.equal(await isRefused(ann.headers, 0), true, "where it was decided, at once");
  assert.equal(await unpublished(), 2);
  await platform.redisWay.mend();
  for (const { headers } of [ann, bob])
    await waitFor("the other copy to hear of it", () => isRefused(headers, 1));
  await waitFor("both to be told", async () => (await unpublished()) === 0);
  for (const { sessionKey } of [ann, bob]) {
    const dead = platform.sessions(1).refreshSession({}, { headers: fromGateway(sessionKey) });
    assert.equal((await failing(dead)).code, Code.Unauthenticated);
  }
});

test("what a process decided and did not live to tell, another one tells", async () => {
  const { id, headers, sessionKey } = await platform.register();
  const { sessionId } = await platform.users().introspect({}, { headers });
  await platform.sql`
    insert into revocations (id, user_id, session_id)
    values (${uuidv7()}, ${id}, ${sessionId ?? ""})`;
  const dead = platform.sessions().refreshSession({}, { headers: fromGateway(sessionKey) });
  assert.equal((await failing(dead)).code, Code.Unauthenticated, "before anybody is told");
  for (const copy of [0, 1])
    await waitFor("all copies to hear of it", () => isRefused(headers, copy));
  const { sessions } = await platform
    .users()
    .listSessions({}, { headers: (await platform.register()).headers });
  assert.equal(sessions.length, 1);
});

test("a Redis that comes back having lost everything is told again", async () => {
  const redis = await openTestRedis(process.env.TEST_REDIS_URL);
  const { headers, id } = await platform.register();
  await platform.users().logout({}, { headers });
  const toldIn = async () =>
    (await redis.xrange(revocationStream, "-", "+")).filter(([, [, text = ""]]) =>
      text.includes(id),
    );
  assert.equal((await toldIn()).length, 1);
  await platform.redisWay.cut();
  for (const [entry] of await toldIn()) await redis.xdel(revocationStream, entry);
  await platform.redisWay.mend();
  await waitFor("it to be told again", async () => (await toldIn()).length > 0);
  redis.disconnect();
});

test("a service that starts without Redis works as soon as Redis is there", async () => {
  const { startService } = await import("../test/running-service.ts");
  await platform.redisWay.cut();
  const service = await startService(platform.env);
  await platform.redisWay.mend();
  await waitFor("a login", () =>
    platform.register().then(
      () => true,
      () => false,
    ),
  );
  await service.stop();
});
