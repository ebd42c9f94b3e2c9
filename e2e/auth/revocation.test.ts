import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ListSessionsResponseJson } from "@3l1/gen/user/v1/user_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { adminEmail, adminPassword } from "../../dev/own-platform.ts";
import { type Client, logIn, password, register } from "../client.ts";
import { startSecondGateway } from "../second-gateway.ts";
import {
  holding,
  isRevoked,
  me,
  startTwoGateways,
  type TwoGateways,
  whenExpired,
  whenRevoked,
} from "./two-gateways.ts";

let both: TwoGateways;
before(async () => (both = await startTwoGateways()));
after(() => both.stop());

const newPassword = `${password} that is new`;

/** What ends tokens, done by the client itself or by an administrator. */
const endings: readonly [what: string, end: (client: Client, id: string) => Promise<number>][] = [
  ["logout", async (client) => (await client.post("/api/users/out")).status],
  [
    "logout everywhere",
    async (client) => (await client.post("/api/users/out?everywhere=true")).status,
  ],
  [
    "a change of password",
    async (client) =>
      (await client.post("/api/users/password", { currentPassword: password, newPassword })).status,
  ],
  ["deleting oneself", async (client) => (await client.delete("/api/users/del")).status],
  [
    "ending one's own session",
    async (client) => {
      const { body } = await client.get<ListSessionsResponseJson>("/api/users/sessions");
      const id = body.sessions?.find(({ current }) => current)?.id;
      return (await client.delete(`/api/users/sessions?id=${id}`)).status;
    },
  ],
  [
    "a change of role",
    async (_, id) => {
      const admin = await logIn(both.urls[0], adminEmail, adminPassword);
      return (await admin.patch("/api/users/role", { id, role: "ROLE_ADMIN" })).status;
    },
  ],
];

for (const [what, end] of endings)
  test(`${what} on one gateway: at once the token is dead there, and soon on the other`, async () => {
    const [here, there] = both.urls;
    const ann = await register(here);
    const before = { token: ann.token, cookie: ann.cookie };
    assert.equal((await holding(there, before).get(me)).status, 200);
    const status = await end(holding(here, before), ann.id);
    assert.ok(status === 200 || status === 204, `${status}`);
    assert.equal(
      await isRevoked(here, before.token),
      true,
      "the gateway that answers is the first",
    );
    await whenRevoked(there, before.token);
    for (const url of both.urls)
      assert.equal((await holding(url, { cookie: before.cookie }).get(me)).status, 401);
  });

test("another session of the same user goes on after a logout, and ends with a logout everywhere", async () => {
  const [here, there] = both.urls;
  const ann = await register(here);
  const phone = await logIn(there, ann.email, password);
  assert.equal((await ann.post("/api/users/out")).status, 204);
  assert.equal((await phone.get(me)).status, 200);
  const laptop = await logIn(here, ann.email, password);
  assert.equal((await laptop.post("/api/users/out?everywhere=true")).status, 204);
  await whenRevoked(there, phone.token);
});

test("the key of a session that has ended ends no other session, asked to end them everywhere", async () => {
  const [here, there] = both.urls;
  const ann = await register(here);
  const { cookie } = ann;
  assert.equal((await ann.post("/api/users/out")).status, 204);
  const phone = await logIn(there, ann.email, password);
  const found = holding(here, { cookie });
  assert.equal((await found.post("/api/users/out?everywhere=true")).status, 204);
  assert.equal((await holding(here, phone).get(me)).status, 200);
  const alive = holding(there, { cookie: phone.cookie });
  assert.equal((await alive.post("/api/users/out?everywhere=true")).status, 204);
  await whenRevoked(here, phone.token);
});

test("a logout while Redis is down holds when it is back, on both gateways, with an old cookie too", async () => {
  const [here, there] = both.urls;
  const ann = await register(here);
  const bob = await register(here);
  const before = { token: ann.token, cookie: ann.cookie };
  const { pid } = (await both.platform.now()).redis;
  process.kill(pid, "SIGKILL");
  assert.equal((await ann.post("/api/users/out")).status, 204);
  assert.equal(await isRevoked(here, before.token), true);
  await waitFor("Redis to be back", async () => (await both.platform.now()).redis.pid !== pid);
  await whenRevoked(there, before.token);
  await whenExpired(bob);
  await waitFor("sessions to go on", async () => (await bob.get(me)).status === 200);
  for (const url of both.urls)
    assert.equal((await holding(url, { cookie: before.cookie }).get(me)).status, 401);
});

test("a gateway that starts after Redis has lost all its data refuses what was revoked before", async () => {
  const { platform, inside, urls } = both;
  const { token, cookie } = await register(urls[0]);
  assert.equal((await holding(urls[1], { token, cookie }).post("/api/users/out")).status, 204);
  await inside.redis.flushall();
  const { pid } = (await platform.now()).redis;
  process.kill(pid, "SIGKILL");
  await waitFor("the relay to tell Redis anew", async () => {
    const isAnother = (await platform.now()).redis.pid !== pid;
    return isAnother && (await inside.redis.xlen("auth:rev").catch(() => 0)) > 0;
  });
  const third = await startSecondGateway(platform);
  try {
    await whenRevoked(third.url, token);
  } finally {
    await third.stop();
  }
});
