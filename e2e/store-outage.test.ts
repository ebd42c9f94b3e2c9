import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { ListOrdersResponseJson } from "@3l1/gen/order/v1/order_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Redis } from "ioredis";
import postgres from "postgres";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { breakerOf } from "./admin-pages.ts";
import { items, type Problem, password, register } from "./client.ts";

let platform: Platform;
let ann: Awaited<ReturnType<typeof register>>;
/** Logs in often, which ends the oldest sessions. */
let bob: typeof ann;
before(async () => {
  platform = await startPlatform();
  ann = await register(platform.gatewayUrl);
  bob = await register(platform.gatewayUrl, "Bob");
});
after(() => platform.stop());

const logIn = () => bob.send<Problem>("POST", "/api/users/log", { email: bob.email, password });
const add = (note: string) => ann.post("/api/orders/add", { items, currencyCode: "EUR", note });

async function assertNoBreakerOpened(): Promise<void> {
  const { adminUrl } = (await platform.now()).gateway;
  for (const upstream of ["user-service", "order-service"]) {
    const { state, transitions } = await breakerOf(adminUrl, upstream);
    assert.deepEqual([state, transitions], ["closed", []], upstream);
  }
}

test("a flood of logins is turned away in part; valid tokens go on and no breaker opens", async () => {
  const flood = Array.from({ length: 150 }, logIn);
  let isOver = false;
  const answers = Promise.all(flood).finally(() => {
    isOver = true;
  });
  let asked = 0;
  for (; !isOver || asked < 10; asked++) {
    assert.equal((await ann.get("/api/users/me")).status, 200);
    assert.equal((await ann.get("/api/orders/list")).status, 200);
  }
  const codes = (await answers).map(({ status, body }) => `${status} ${body.reason ?? ""}`);
  assert.ok(codes.includes("200 "), "some get through");
  const expected = ["200 ", "503 password_hashing_busy", "503 overloaded"];
  assert.deepEqual(
    codes.filter((code) => !expected.includes(code)),
    [],
  );
  assert.ok(codes.some((code) => code.startsWith("503")));
  await assertNoBreakerOpened();
});

test("Redis away: 50 logins fail for it, valid tokens go on and no breaker opens", async () => {
  const { pid } = (await platform.now()).redis;
  process.kill(pid, "SIGSTOP");
  try {
    // A fresh word on revocations is a few seconds old at most; reading goes on without one.
    const failures = await Promise.all(Array.from({ length: 50 }, logIn));
    for (const { status, body } of failures)
      assert.ok(status === 503 && body.code === "unavailable", JSON.stringify(body));
    for (let index = 0; index < 20; index++) {
      assert.equal((await ann.get("/api/users/me")).status, 200);
      assert.equal((await ann.get("/api/orders/list")).status, 200);
    }
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await assertNoBreakerOpened();
  await waitFor("logging in to work again", async () => (await logIn()).status === 200);
});

test("Redis full: logging in is 503 for it, valid tokens go on and no breaker opens", async () => {
  const redis = new Redis((await platform.now()).redis.url);
  const carl = await register(platform.gatewayUrl, "Carl");
  const { token = "", cookie: carlsCookie = "" } = carl;
  const whoIsCarl = (headers: Record<string, string>) =>
    ann.send<Problem>("GET", "/api/users/me", undefined, headers);
  try {
    await redis.config("SET", "maxmemory", "1");
    assert.equal((await carl.post("/api/users/out")).status, 204);
    const left = await whoIsCarl({ authorization: `Bearer ${token}` });
    assert.equal(left.status, 401, "the process that answered knows it");
    const cookieAlone = { authorization: "", cookie: ann.cookie ?? "" };
    for (const { status, body, headers } of [
      await logIn(),
      await ann.send<Problem>("GET", "/api/users/me", undefined, cookieAlone),
    ]) {
      assert.deepEqual([status, body.reason], [503, "session_store_unavailable"]);
      assert.equal(headers.get("retry-after"), "1");
    }
    assert.equal((await ann.get("/api/users/me")).status, 200);
    assert.equal((await add("while Redis is full")).status, 201);
  } finally {
    await redis.config("SET", "maxmemory", "0");
    redis.disconnect();
  }
  await assertNoBreakerOpened();
  assert.equal((await logIn()).status, 200);
  const back = await whoIsCarl({ authorization: "", cookie: carlsCookie });
  assert.equal(back.status, 401, "his session has ended");
});

test("PostgreSQL killed under load: nothing but 503, no order half done, pools whole", async () => {
  const { postgres: store } = await platform.now();
  const acknowledged: string[] = [];
  const others: string[] = [];
  let isBack = false;
  let sent = 0;
  const place = async () => {
    while (!isBack || sent < 100) {
      const note = `${sent++}`;
      const { status, body } = await add(note);
      if (status === 201) acknowledged.push(note);
      else others.push(`${status} ${body.code}`);
    }
  };
  const load = Array.from({ length: 10 }, place);
  await waitFor("orders to be placed", () => acknowledged.length >= 50);
  process.kill(store.pid, "SIGKILL");
  await waitFor("orders to be refused", () => others.length > 0);
  // Valid tokens are good for what needs no database.
  assert.equal((await ann.get("/api/users/sessions")).status, 200);
  const before = acknowledged.length;
  await waitFor("orders to be placed again", () => acknowledged.length >= before + 50);
  isBack = true;
  await Promise.all(load);
  assert.deepEqual(new Set(others), new Set(["503 unavailable"]));
  await assertNoBreakerOpened();

  const placed = await notesOf();
  assert.deepEqual(
    acknowledged.filter((note) => !placed.has(note)),
    [],
  );
  const url = (await platform.now()).postgres.url.replace(/[^/]*$/, "order_service");
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const halfDone = await sql`
      select id from orders where not exists
        (select from order_events where order_id = orders.id)`;
    assert.deepEqual([...halfDone], []);
    const connections = await sql`
      select state from pg_stat_activity where usename = 'order_service' and pid <> pg_backend_pid()`;
    assert.ok(connections.length <= 11, `${connections.length} connections`);
    await waitFor("no transaction to be open", async () => {
      const [open] = await sql`
        select count(*)::int as count from pg_stat_activity where state like 'idle in transaction%'`;
      return open?.count === 0;
    });
  } finally {
    await sql.end();
  }
  // Each pool carries as many at once as before.
  const statuses = await Promise.all(
    Array.from({ length: 40 }, async () => (await add("after")).status),
  );
  assert.deepEqual(new Set(statuses), new Set([201]));
  assert.equal((await logIn()).status, 200);
});

/** The notes of all orders. */
async function notesOf(): Promise<Set<string>> {
  const notes = new Set<string>();
  let pageToken = "";
  do {
    const query = new URLSearchParams({ pageSize: "100", pageToken });
    const { body } = await ann.get<ListOrdersResponseJson>(`/api/orders/list?${query}`);
    for (const { note } of body.orders ?? []) notes.add(note ?? "");
    pageToken = body.nextPageToken ?? "";
  } while (pageToken !== "");
  return notes;
}
