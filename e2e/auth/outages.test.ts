import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Answer, Client, items, type Problem, password, register } from "../client.ts";
import { claimsOf, holding, me, startTwoGateways, type TwoGateways } from "./two-gateways.ts";

// The table at the end of docs/authentication.md, row by row.

let both: TwoGateways;
let ann: Visitor;
before(async () => {
  both = await startTwoGateways();
  ann = await visitor();
});
after(() => both.stop());

type Visitor = Awaited<ReturnType<typeof visitor>>;

/** Somebody with a cookie, a token that outlives the outage, and one that has expired. */
async function visitor() {
  const { email, cookie, token } = await register(both.urls[0]);
  const claims = claimsOf(token);
  const now = Math.floor(Date.now() / 1000);
  const valid = await both.inside.sign({ ...claims, exp: now + 600 });
  const expired = await both.inside.sign({ ...claims, exp: now - 1 });
  return { email, cookie, valid, expired };
}

const logIn = (url: string) =>
  new Client(url).post("/api/users/log", { email: ann.email, password });
const order = { items, currencyCode: "EUR" };

function assertAway({ status, headers, body }: Answer<Problem>, what: string): void {
  assert.equal(status, 503, `${what}: ${JSON.stringify(body)}`);
  assert.ok(Number(headers.get("retry-after")) >= 1, `${what}: Retry-After`);
  assert.deepEqual(headers.getSetCookie(), [], `${what}: the cookie stays as it is`);
  assert.ok(!headers.has("x-access-token"), what);
}

/** The columns that are alike in each row: an expired token with a cookie, the cookie alone, a login. */
async function assertNobodyGetsIn(): Promise<void> {
  const { cookie, expired } = ann;
  const asked = both.urls.flatMap((url) => [
    holding(url, { token: expired, cookie }).get<Problem>(me),
    holding(url, { cookie }).get<Problem>("/api/orders/list"),
    logIn(url),
  ]);
  const answers = await Promise.all(asked);
  const columns = ["an expired token", "the cookie alone", "a login"];
  for (const [index, answer] of answers.entries()) assertAway(answer, columns[index % 3] as string);
}

/** Nobody was logged out, and nobody has to do anything. */
async function assertAllIsWell(): Promise<void> {
  const { cookie, expired } = ann;
  for (const url of both.urls) {
    await waitFor("logging in to work", async () => (await logIn(url)).status === 200);
    const again = () => holding(url, { token: expired, cookie }).get(me);
    await waitFor("the session to go on", async () => (await again()).status === 200);
  }
}

test("Redis away: valid tokens work, after five seconds only to read; nobody is renewed or logged in", async () => {
  const { pid } = (await both.platform.now()).redis;
  const clients = both.urls.map((url) => holding(url, { token: ann.valid }));
  process.kill(pid, "SIGSTOP");
  try {
    for (const client of clients) {
      assert.equal((await client.get(me)).status, 200);
      assert.equal((await client.post("/api/orders/add", order)).status, 201);
    }
    await assertNobodyGetsIn();
    for (const client of clients) {
      const refused = await waitFor("changes to be refused", async () => {
        const answer = await client.post("/api/orders/add", order);
        return answer.status !== 201 && answer;
      });
      assertAway(refused, "a change");
      assert.equal(refused.body.reason, "session_store_unavailable");
      assert.equal((await client.get(me)).status, 200);
      assert.equal((await client.get("/api/orders/list")).status, 200);
    }
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await assertAllIsWell();
  for (const client of clients)
    await waitFor("changes to work", async () => {
      return (await client.post("/api/orders/add", order)).status === 201;
    });
});

test("the user-service away: valid tokens work; nobody is renewed or logged in", async () => {
  const { pid } = (await both.platform.now()).userService;
  process.kill(pid, "SIGKILL");
  await waitFor("it to be gone", () => !isAlive(pid));
  const [works] = await Promise.all([
    Promise.all(
      both.urls.map((url) => holding(url, { token: ann.valid }).post("/api/orders/add", order)),
    ),
    assertNobodyGetsIn(),
  ]);
  assert.deepEqual(
    works.map(({ status }) => status),
    [201, 201],
  );
  await assertAllIsWell();
});

test("PostgreSQL away: valid tokens work; nobody is renewed or logged in", async () => {
  const { pid } = (await both.platform.now()).postgres;
  const pids = [...(await both.inside.postgresPids()), pid];
  for (const each of pids) process.kill(each, "SIGSTOP");
  try {
    for (const url of both.urls) {
      const client = holding(url, { token: ann.valid });
      assert.equal((await client.get("/api/users/sessions")).status, 200);
    }
    await assertNobodyGetsIn();
  } finally {
    for (const each of pids) process.kill(each, "SIGCONT");
  }
  await assertAllIsWell();
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
