import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Role } from "@3l1/gen/user/v1/user_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { failing } from "../test/failing.ts";
import {
  clientIp,
  fromGateway,
  receive,
  startPlatform,
  type TestPlatform,
} from "../test/platform.ts";

let platform: TestPlatform;
before(async () => {
  platform = await startPlatform(process.env, { copies: 2 });
});
after(() => platform?.stop());

const isDead = async (sessionKey: string) => {
  const refresh = platform.sessions().refreshSession({}, { headers: fromGateway(sessionKey) });
  const error = await failing(refresh);
  return error.code === Code.Unauthenticated && reasonOf(error) === Reason.INVALID_TOKEN;
};

test("a token tells whose it is, as long as it is good", async () => {
  const { id, token, headers } = await platform.register();
  const own = await platform.users().introspect({}, { headers });
  const named = await platform.users(1).introspect({ token });
  assert.deepEqual(named, own);
  assert.deepEqual([own.active, own.userId, own.role], [true, id, Role.USER]);
  assert.ok(own.issuedAt && own.expiresAt && own.sessionId);
  assert.equal(timestampMs(own.expiresAt) - timestampMs(own.issuedAt), 300_000);
});

test("of a bad, revoked or missing token nothing is told but that it is not active", async () => {
  const { token, headers } = await platform.register();
  await platform.users().logout({}, { headers });
  const [head, body] = token.split(".");
  for (const bad of [token, "garbage", `${head}.${body}.`, ""]) {
    const { active, ...rest } = await platform.users().introspect({ token: bad });
    assert.equal(active, false);
    assert.deepEqual(
      Object.values(rest).filter(
        (value) => value !== undefined && value !== "user.v1.IntrospectResponse",
      ),
      [],
    );
  }
});

test("a token is not active once its account is gone, on a copy that has not heard of it too", async () => {
  const { id, token } = await platform.register();
  await platform.sql`delete from users where id = ${id}`;
  assert.equal((await platform.users(1).introspect({ token })).active, false);
});

test("logging out ends this session, takes back its key, and no other", async () => {
  const ann = await platform.register();
  const other = await platform.logIn(ann.email);
  const answer = receive(ann.headers);
  await platform.users().logout({}, answer.options());
  assert.equal(answer.header().get(metadata.sessionKey), "");
  assert.equal(answer.header().get(metadata.sessionKeyMaxAge), "0");
  assert.ok(await isDead(ann.sessionKey));
  await platform.users().getUser({}, { headers: other.headers });
  await platform.sessions().refreshSession({}, { headers: fromGateway(other.sessionKey) });
});

test("whoever has logged out may do so again, by token or by key", async () => {
  const ann = await platform.register();
  for (const headers of [ann.headers, ann.headers, fromGateway(ann.sessionKey)])
    await platform.users().logout({}, { headers });
  const both = { ...ann.headers, ...fromGateway(ann.sessionKey) };
  await platform.users().logout({}, { headers: both });
});

test("the session key alone is enough to log out, whatever its generation", async () => {
  const ann = await platform.register();
  await platform.users().logout({}, { headers: { [metadata.sessionKey]: ann.sessionKey } });
  assert.ok(await isDead(ann.sessionKey));
  const error = await failing(platform.users().getUser({}, { headers: ann.headers }));
  assert.equal(error.code, Code.Unauthenticated);
});

test("nobody logs out with nothing, or with a key or token that is not ours", async () => {
  const { sessionKey, token } = await platform.register();
  for (const headers of [
    {},
    {
      [metadata.sessionKey]: `${sessionKey.slice(0, -2)}${sessionKey.endsWith("AA") ? "BA" : "AA"}`,
    },
    { [metadata.authorization]: `Bearer ${token.slice(0, -8)}AAAAAAAA` },
  ])
    assert.equal(
      (await failing(platform.users().logout({}, { headers }))).code,
      Code.Unauthenticated,
    );
});

test("logging out everywhere ends all sessions of the user, on every copy", async () => {
  const ann = await platform.register();
  const others = await Promise.all([platform.logIn(ann.email), platform.logIn(ann.email)]);
  await platform.users().logout({ everywhere: true }, { headers: ann.headers });
  for (const { sessionKey, headers } of [ann, ...others]) {
    assert.ok(await isDead(sessionKey));
    await waitFor("the other copy to refuse the token", () =>
      platform
        .users(1)
        .getUser({}, { headers })
        .then(
          () => false,
          () => true,
        ),
    );
  }
  await platform.users().getUser({}, { headers: (await platform.logIn(ann.email)).headers });
});

test("the list shows where one is logged in, and which session asks", async () => {
  const ann = await platform.register();
  const { headers } = await platform.logIn(ann.email);
  const { sessions } = await platform.users(1).listSessions({}, { headers });
  assert.deepEqual(
    sessions.map(({ current, device, ip }) => ({ current, device, ip })),
    [
      { current: true, device: "a browser", ip: clientIp },
      { current: false, device: "a browser", ip: clientIp },
    ],
  );
});

test("where a client is, only the gateway may say", async () => {
  const { email } = await platform.register();
  const told = { [metadata.clientIp]: "192.0.2.66", [metadata.clientDevice]: "made up" };
  const { token } = await platform
    .users()
    .login({ email, password: "a long enough passphrase" }, { headers: told });
  const headers = { [metadata.authorization]: `Bearer ${token}` };
  const { sessions } = await platform.users().listSessions({}, { headers });
  const current = sessions.find((session) => session.current);
  assert.deepEqual([current?.device, current?.ip], ["", ""]);
});

test("one ends one's own sessions, once or twice, and nobody else's", async () => {
  const ann = await platform.register();
  const other = await platform.logIn(ann.email);
  const { sessions } = await platform.users().listSessions({}, { headers: other.headers });
  const id = sessions.find(({ current }) => current)?.id ?? "";
  const bob = await platform.register("Bob");
  await platform.users().revokeSession({ id }, { headers: bob.headers });
  await platform.users().getUser({}, { headers: other.headers });
  for (let times = 0; times < 2; times++)
    await platform.users().revokeSession({ id: id.toUpperCase() }, { headers: ann.headers });
  assert.ok(await isDead(other.sessionKey));
  await platform.users().getUser({}, { headers: ann.headers });
  await platform.users().revokeSession({ id: uuidv7() }, { headers: ann.headers });
});

test("sessions that are not there are revoked by id a few times, those that are always", async () => {
  const ann = await platform.register();
  const other = await platform.logIn(ann.email);
  const rows = async () => {
    const [row] = await platform.sql`
      select count(*)::int as count from revocations where user_id = ${ann.id}`;
    return row?.count;
  };
  const { sessions } = await platform.users().listSessions({}, { headers: other.headers });
  for (let times = 0; times < 40; times++)
    await platform.users().revokeSession({ id: uuidv7() }, { headers: ann.headers });
  assert.equal(await rows(), 20);
  const id = sessions.find(({ current }) => current)?.id ?? "";
  await platform.users().revokeSession({ id }, { headers: ann.headers });
  assert.ok(await isDead(other.sessionKey));
  assert.equal(await rows(), 21);
});
