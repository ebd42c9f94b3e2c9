import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Role } from "@3l1/gen/user/v1/user_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { Code } from "@connectrpc/connect";
import bcrypt from "bcrypt";
import { failing, violationsOf } from "../test/failing.ts";
import {
  bearer,
  fromGateway,
  password,
  patiently,
  receive,
  startPlatform,
  type TestPlatform,
} from "../test/platform.ts";
import { pairThrottle } from "./limits.ts";

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
let platform: TestPlatform;
before(async () => {
  platform = await startPlatform(process.env, { copies: 2 });
});
after(() => platform?.stop());

test("registering makes a user and logs in", async () => {
  const { id, email, token, sessionKey, header } = await platform.register("Ann");
  assert.match(id, uuid7);
  assert.match(sessionKey, /^[\w-]{98}$/);
  assert.equal(header.get(metadata.sessionKeyMaxAge), String(7 * 24 * 3600));
  const { user } = await platform.users(1).getUser({}, { headers: bearer(token) });
  assert.deepEqual([user?.id, user?.name, user?.email, user?.role], [id, "Ann", email, Role.USER]);
});

test("an e-mail has one account, in whatever case, also when two register at once", async () => {
  const { email } = await platform.register();
  const again = platform.register("Bob", email.toUpperCase());
  assert.equal((await failing(again)).code, Code.AlreadyExists);
  const contested = `${crypto.randomUUID()}@Example.com`;
  const results = await Promise.allSettled(
    [contested, contested.toLowerCase()].map((each) => platform.register("Ann", each)),
  );
  assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

test("a poor password is refused with the rule that it breaks", async () => {
  const register = (poor: string) =>
    platform.users().register({ name: "Ann", email: "a@example.com", password: poor });
  for (const [poor, rule] of [
    ["short", "password.min_length"],
    ["password12345678", "password.common"],
  ] as const)
    assert.deepEqual(violationsOf(await failing(register(poor))), [{ field: "password", rule }]);
});

test("logging in opens a session; the e-mail's case does not matter", async () => {
  const { email, id } = await platform.register();
  const login = await platform.logIn(email.toUpperCase());
  assert.equal(login.id, id);
  await platform.users().getUser({}, { headers: login.headers });
});

test("an e-mail that PostgreSQL takes for another one does not open its account", async () => {
  // Else guesses would be counted apart for each spelling: to the throttle's lower case it is another letter.
  const { email } = await platform.register("Ann", `irina-${crypto.randomUUID()}@example.com`);
  const error = await failing(platform.logIn(email.replace("i", "\u0130")));
  assert.equal(error.code, Code.Unauthenticated);
});

test("an unknown account and a wrong password get the same answer", async () => {
  const { email } = await platform.register();
  const wrong = await failing(platform.logIn(email, "not the password"));
  const unknown = await failing(platform.logIn(`x${email}`, "not the password"));
  const odd = await failing(platform.logIn("\0", "not the password"));
  for (const error of [wrong, unknown, odd]) {
    assert.equal(error.code, Code.Unauthenticated);
    assert.equal(error.rawMessage, wrong.rawMessage);
    assert.deepEqual(error.details, []);
  }
});

test("whoever guesses has to wait, whether there is such an account or not", async () => {
  const { email } = await platform.register();
  for (const target of [email, `x${email}`]) {
    for (let count = 0; count <= pairThrottle.free; count++)
      assert.equal((await failing(platform.logIn(target, "guess"))).code, Code.Unauthenticated);
    for (const copy of [0, 1]) {
      const error = await failing(platform.logIn(target, password, copy));
      assert.equal(error.code, Code.ResourceExhausted);
      assert.equal(reasonOf(error), Reason.RATE_LIMITED);
    }
  }
});

test("many logins with the right password at once are fine", async () => {
  const { email } = await platform.register();
  const logins = await Promise.all(Array.from({ length: 16 }, () => platform.logIn(email)));
  assert.equal(new Set(logins.map(({ sessionKey }) => sessionKey)).size, 16);
});

test("a bcrypt hash brought from elsewhere opens the account, and is replaced", async () => {
  const { email, id } = await platform.register();
  const hash = await bcrypt.hash(password, 4);
  await platform.sql`update users set password_hash = ${hash} where id = ${id}`;
  await platform.logIn(email);
  const [row] = await platform.sql`select password_hash from users where id = ${id}`;
  assert.match(row?.password_hash, /^\$argon2id\$/);
  await platform.logIn(email);
});

test("changing the password needs the one in force", async () => {
  const { headers, email } = await platform.register();
  const change = platform
    .users()
    .changePassword({ currentPassword: "wrong", newPassword: `${password}!` }, { headers });
  const error = await failing(change);
  assert.equal(error.code, Code.InvalidArgument);
  assert.deepEqual(violationsOf(error), [{ field: "current_password", rule: "password.current" }]);
  const poor = platform
    .users()
    .changePassword({ currentPassword: password, newPassword: "short" }, { headers });
  assert.deepEqual(violationsOf(await failing(poor)), [
    { field: "new_password", rule: "password.min_length" },
  ]);
  await platform.logIn(email);
});

test("a new password ends every other session and opens one for whoever changed it", async () => {
  const { headers, email, sessionKey } = await platform.register();
  const other = await platform.logIn(email);
  const answer = receive({ ...headers, ...fromGateway() });
  const request = { currentPassword: password, newPassword: `new ${password}` };
  const { token } = await platform.users().changePassword(request, answer.options());
  await platform.users().getUser({}, { headers: bearer(token) });
  const newKey = answer.header().get(metadata.sessionKey) ?? "";
  await platform.sessions().refreshSession({}, { headers: fromGateway(newKey) });
  for (const dead of [headers, other.headers]) {
    const error = await failing(platform.users().getUser({}, { headers: dead }));
    assert.equal(reasonOf(error), Reason.INVALID_TOKEN);
  }
  for (const key of [sessionKey, other.sessionKey]) {
    const refresh = platform.sessions().refreshSession({}, { headers: fromGateway(key) });
    assert.equal((await failing(refresh)).code, Code.Unauthenticated);
  }
  assert.equal((await failing(platform.logIn(email))).code, Code.Unauthenticated);
  await platform.logIn(email, `new ${password}`);
});

test("logins with the old password that race its change leave no session", async () => {
  for (let round = 0; round < 5; round++) {
    const { headers, email } = await platform.register();
    const passwords = { currentPassword: password, newPassword: `new ${password}` };
    const change = patiently(() => platform.users().changePassword(passwords, { headers }));
    const logins = Array.from({ length: 6 }, (_, index) =>
      platform.logIn(email, password, index % 2).catch(() => undefined),
    );
    const opened = (await Promise.all(logins)).filter((login) => login !== undefined);
    await change;
    for (const { sessionKey } of opened) {
      const refresh = platform.sessions().refreshSession({}, { headers: fromGateway(sessionKey) });
      assert.equal((await failing(refresh)).code, Code.Unauthenticated);
    }
  }
});

test("no log line holds a password, a token or a session key", async () => {
  const { email, token, sessionKey } = await platform.register();
  await failing(platform.logIn(email, "a wrong but personal secret"));
  const output = platform.output();
  assert.match(output, /"audit":"login failed"/);
  for (const secret of [password, token, sessionKey, "a wrong but personal secret", "argon2id"])
    assert.ok(!output.includes(secret));
});
