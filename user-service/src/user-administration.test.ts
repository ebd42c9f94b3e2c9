import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Role } from "@3l1/gen/user/v1/user_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { failing } from "../test/failing.ts";
import { admin, receive, startPlatform, type TestPlatform } from "../test/platform.ts";
import { startService } from "../test/running-service.ts";

let platform: TestPlatform;
before(async () => {
  platform = await startPlatform(process.env, { copies: 3 });
});
after(() => platform?.stop());

const administrator = () => platform.logIn(admin.email, admin.password);

test("however many copies start at once, there is one first administrator", async () => {
  const rows = await platform.sql`select email from users where role = 'admin'`;
  assert.deepEqual([...rows], [{ email: admin.email }]);
});

test("a later start with another administrator in its settings makes none", async () => {
  const env = { ...platform.env, ADMIN_EMAIL: "other@example.com" };
  await (await startService(env)).stop();
  assert.equal(
    (await failing(platform.logIn("other@example.com", admin.password))).code,
    Code.Unauthenticated,
  );
});

test("no account becomes an administrator's because somebody registered the e-mail first", async () => {
  const { email, id } = await platform.register();
  await platform.sql`update users set role = 'user' where email = ${admin.email}`;
  const service = await startService({ ...platform.env, ADMIN_EMAIL: email });
  await service.stop();
  assert.match(service.log.join(""), /no administrator: ADMIN_EMAIL belongs to a user/);
  const [row] = await platform.sql`select role from users where id = ${id}`;
  assert.equal(row?.role, "user");
  await platform.sql`update users set role = 'admin' where email = ${admin.email}`;
});

test("a start with a poor password for the first administrator fails and says why", async () => {
  await platform.sql`update users set role = 'user' where email = ${admin.email}`;
  const env = { ...platform.env, ADMIN_EMAIL: "new@example.com", ADMIN_PASSWORD: "short" };
  await assert.rejects(startService(env), /ADMIN_PASSWORD must have at least 15 characters/);
  await platform.sql`update users set role = 'admin' where email = ${admin.email}`;
});

test("administrators see all users in pages, the newest first; others do not", async () => {
  const names = ["Ann", "Bob", "Cem"];
  const users = [];
  for (const name of names) users.push(await platform.register(name));
  const { headers } = await administrator();
  const first = await platform.users().listUsers({ pageSize: 2 }, { headers });
  assert.deepEqual(
    first.users.map(({ name }) => name),
    ["Cem", "Bob"],
  );
  const { nextPageToken: pageToken } = first;
  const second = await platform.users(1).listUsers({ pageSize: 2, pageToken }, { headers });
  assert.equal(second.users[0]?.name, "Ann");
  const all = await platform.users().listUsers({ pageSize: 100 }, { headers });
  assert.equal(all.nextPageToken, "");
  const forged = platform.users().listUsers({ pageToken: `${pageToken}x` }, { headers });
  assert.equal((await failing(forged)).code, Code.InvalidArgument);
  const asUser = platform.users().listUsers({}, { headers: users[0]?.headers ?? {} });
  assert.equal((await failing(asUser)).code, Code.PermissionDenied);
});

test("a new role ends the user's sessions, and counts from the next login on", async () => {
  const { headers } = await administrator();
  const ann = await platform.register();
  const { user } = await platform
    .users()
    .setUserRole({ id: ann.id, role: Role.ADMIN }, { headers });
  assert.equal(user?.role, Role.ADMIN);
  const stale = platform.users().listUsers({}, { headers: ann.headers });
  assert.equal((await failing(stale)).code, Code.Unauthenticated);
  const promoted = await platform.logIn(ann.email);
  await platform.users().listUsers({}, { headers: promoted.headers });
  await platform.users().setUserRole({ id: ann.id, role: Role.ADMIN }, { headers });
  await platform.users().getUser({}, { headers: promoted.headers });
  await platform.users().setUserRole({ id: ann.id, role: Role.USER }, { headers });
  const demoted = await platform.logIn(ann.email);
  const refused = platform.users().listUsers({}, { headers: demoted.headers });
  assert.equal((await failing(refused)).code, Code.PermissionDenied);
});

test("there always is an administrator left, also when two leave at once", async () => {
  const root = await administrator();
  const { headers } = root;
  const self = { id: root.id, role: Role.USER };
  for (const error of await Promise.all([
    failing(platform.users().setUserRole(self, { headers })),
    failing(platform.users().deleteUser({}, { headers })),
  ])) {
    assert.equal(error.code, Code.FailedPrecondition);
    assert.equal(reasonOf(error), Reason.LAST_ADMIN);
  }
  const ann = await platform.register();
  await platform.users().setUserRole({ id: ann.id, role: Role.ADMIN }, { headers });
  const second = await platform.logIn(ann.email);
  await Promise.allSettled([
    platform.users(0).setUserRole(self, { headers }),
    platform.users(1).deleteUser({}, { headers: second.headers }),
  ]);
  const [row] = await platform.sql`select count(*)::int as admins from users where role = 'admin'`;
  assert.equal(row?.admins, 1);
  await platform.sql`update users set role = 'admin' where email = ${admin.email}`;
});

test("deleting oneself ends all sessions, takes back the key and frees the e-mail", async () => {
  const ann = await platform.register();
  const other = await platform.logIn(ann.email);
  const answer = receive(ann.headers);
  await platform.users().deleteUser({}, answer.options());
  assert.equal(answer.header().get(metadata.sessionKey), "");
  for (const { headers } of [ann, other])
    assert.equal(
      (await failing(platform.users().getUser({}, { headers }))).code,
      Code.Unauthenticated,
    );
  assert.equal((await failing(platform.logIn(ann.email))).code, Code.Unauthenticated);
  await platform.register("Ann", ann.email);
});

test("users delete nobody else, administrators no other administrator", async () => {
  const [ann, bob] = [await platform.register("Ann"), await platform.register("Bob")];
  const { headers, id } = await administrator();
  const codeOf = async (target: string, as: Record<string, string>) =>
    (await failing(platform.users().deleteUser({ id: target }, { headers: as }))).code;
  assert.equal(await codeOf(bob.id, ann.headers), Code.PermissionDenied);
  assert.equal(await codeOf(id, ann.headers), Code.PermissionDenied);
  assert.equal(await codeOf(uuidv7(), headers), Code.NotFound);
  await platform.sql`update users set role = 'admin' where id = ${bob.id}`;
  assert.equal(await codeOf(bob.id, headers), Code.PermissionDenied);
  await platform.sql`update users set role = 'user' where id = ${bob.id}`;
  const answer = receive(headers);
  await platform.users().deleteUser({ id: bob.id.toUpperCase() }, answer.options());
  assert.equal(answer.header().get(metadata.sessionKey), null, "the administrator stays logged in");
  assert.equal(await codeOf(bob.id, headers), Code.NotFound);
});

test("the order-service is told who was deleted until it answers, and once by all copies", async () => {
  const users = await Promise.all(Array.from({ length: 6 }, () => platform.register()));
  platform.orders.failNext(4);
  for (const { headers } of users) await platform.users().deleteUser({}, { headers });
  const purgesLeft = async () => (await platform.sql`select 1 from purges`).length;
  await waitFor("all orders to be purged", async () => (await purgesLeft()) === 0);
  for (const { id } of users)
    assert.equal(platform.orders.purged.filter((purged) => purged === id).length, 1);
});
