import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type {
  CreateOrderResponseJson,
  GetOrderResponseJson,
  ListOrdersResponseJson,
  SetOrderStatusResponseJson,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import type {
  GetUserResponseJson,
  IntrospectResponseJson,
  LoginResponseJson,
  RegisterResponseJson,
} from "@3l1/gen/user/v1/user_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { adminEmail, adminPassword, type Platform, startPlatform } from "../dev/own-platform.ts";
import { Client, items, logIn, password, placeOrder, register } from "./client.ts";

const uuid7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const nobody = "01980000-0000-7000-8000-000000000001";
let platform: Platform;
let url: string;
before(async () => {
  // From nothing, as in a new clone; the other stories begin with databases that are there.
  platform = await startPlatform({}, null);
  url = platform.gatewayUrl;
});
after(() => platform.stop());

test("registering answers 201 with the user, a token and a cookie, and never takes a role", async () => {
  const client = new Client(url);
  const account = { name: "Bea", email: "Bea@Example.com", password };
  const { status, body, headers } = await client.post<RegisterResponseJson>(
    "/api/users/reg",
    account,
  );
  assert.equal(status, 201);
  assert.match(body.user?.id ?? "", uuid7);
  assert.equal(body.user?.role, "ROLE_USER");
  assert.equal(body.tokenExpiresInSeconds, 300);
  assert.match(
    headers.getSetCookie()[0] ?? "",
    /^session_key=[\w-]+; .*HttpOnly.*SameSite=Strict/i,
  );
  const again = await client.post("/api/users/reg", { ...account, email: "bea@example.COM" });
  assert.deepEqual([again.status, again.body.code], [409, "already_exists"]);
  const asAdmin = await client.post("/api/users/reg", {
    ...account,
    email: "x@example.com",
    role: "ROLE_ADMIN",
  });
  assert.equal(asAdmin.status, 400);
  assert.equal(asAdmin.body.violations?.[0]?.field, "role");
});

test("logging in brings a token that opens one's own account; a wrong password opens nothing", async () => {
  const ann = await register(url);
  const client = new Client(url);
  const { status, body } = await client.post<LoginResponseJson>("/api/users/log", {
    email: ann.email.toUpperCase(),
    password,
  });
  assert.equal(status, 200);
  assert.equal(body.user?.id, ann.id);
  const me = await client.get<GetUserResponseJson>("/api/users/me");
  assert.equal(me.body.user?.email, ann.email);
  const unknown = await new Client(url).post("/api/users/log", {
    email: "nobody@example.com",
    password,
  });
  const wrong = await new Client(url).post("/api/users/log", {
    email: ann.email,
    password: "not the password",
  });
  assert.deepEqual([unknown.status, wrong.status], [401, 401]);
  const { requestId: _, ...unknownBody } = unknown.body;
  const { requestId: __, ...wrongBody } = wrong.body;
  assert.deepEqual(unknownBody, wrongBody);
});

test("a token can be looked at: its own, another's, and a bad one that is simply not active", async () => {
  const ann = await register(url);
  const own = await ann.post<IntrospectResponseJson>("/api/users/ext", {});
  assert.equal(own.body.active, true);
  assert.equal(own.body.userId, ann.id);
  const other = await new Client(url).post<IntrospectResponseJson>("/api/users/ext", {
    token: ann.token,
  });
  assert.equal(other.body.sessionId, own.body.sessionId);
  const bad = await ann.post<IntrospectResponseJson>("/api/users/ext", { token: "garbage" });
  assert.deepEqual([bad.status, bad.body], [200, { active: false }]);
});

test("an order can be placed, read, listed and cancelled by its owner", async () => {
  const ann = await register(url);
  const created = await ann.post<CreateOrderResponseJson>("/api/orders/add", {
    items,
    currencyCode: "EUR",
    note: "no rush",
  });
  assert.equal(created.status, 201);
  const { order } = created.body;
  assert.match(order?.id ?? "", uuid7);
  assert.deepEqual(
    {
      userId: order?.userId,
      items: order?.items,
      currencyCode: order?.currencyCode,
      totalMinor: order?.totalMinor,
      note: order?.note,
      status: order?.status,
      version: order?.version,
    },
    {
      userId: ann.id,
      items,
      currencyCode: "EUR",
      totalMinor: "900",
      note: "no rush",
      status: "ORDER_STATUS_PROCESSING",
      version: 1,
    },
  );
  const read = await ann.get<GetOrderResponseJson>(`/api/orders/info?id=${order?.id}`);
  assert.deepEqual([read.status, read.body.order], [200, order]);
  const list = await ann.get<ListOrdersResponseJson>("/api/orders/list");
  assert.deepEqual(list.body, { orders: [order], nextPageToken: "" });
  const status = { id: order?.id, status: "ORDER_STATUS_CANCELLED", version: 1 };
  const cancelled = await ann.patch<SetOrderStatusResponseJson>("/api/orders/status", status);
  assert.deepEqual(
    [cancelled.body.order?.status, cancelled.body.order?.version],
    ["ORDER_STATUS_CANCELLED", 2],
  );
  const again = await ann.patch("/api/orders/status", { ...status, version: 2 });
  assert.deepEqual([again.status, again.body.code], [400, "failed_precondition"]);
});

test("an order's status is the owner's to cancel and the admin's to finish, at the version they saw", async () => {
  const ann = await register(url);
  const admin = await logIn(url, adminEmail, adminPassword);
  const order = await placeOrder(ann);
  const done = { id: order.id, status: "ORDER_STATUS_DONE" };
  assert.equal((await ann.patch("/api/orders/status", done)).status, 403);
  const stale = await admin.patch("/api/orders/status", { ...done, version: 7 });
  assert.deepEqual([stale.status, stale.body.code], [409, "aborted"]);
  const finished = await admin.patch<SetOrderStatusResponseJson>("/api/orders/status", done);
  assert.equal(finished.body.order?.status, "ORDER_STATUS_DONE");
});

test("another's order is not found, for whatever one wants to do with it", async () => {
  const [ann, bob] = await Promise.all([register(url, "Ann"), register(url, "Bob")]);
  const { id } = await placeOrder(ann);
  const tries = [
    bob.get(`/api/orders/info?id=${id}`),
    bob.patch("/api/orders/status", { id, status: "ORDER_STATUS_CANCELLED" }),
    bob.delete(`/api/orders/del?id=${id}`),
    bob.get(`/api/orders/info?id=${nobody}`),
  ];
  assert.deepEqual(
    (await Promise.all(tries)).map(({ status }) => status),
    [404, 404, 404, 404],
  );
  assert.deepEqual((await bob.get<ListOrdersResponseJson>("/api/orders/list")).body.orders, []);
});

test("pages follow each other without a gap, newest first, and their tokens are good for nothing else", async () => {
  const ann = await register(url);
  const placed: string[] = [];
  for (let count = 0; count < 5; count++) placed.unshift((await placeOrder(ann, `${count}`)).id);
  const seen: string[] = [];
  let token = "";
  do {
    const page = await ann.get<ListOrdersResponseJson>(
      `/api/orders/list?pageSize=2&pageToken=${token}`,
    );
    seen.push(...(page.body.orders ?? []).map(({ id }) => id ?? ""));
    token = page.body.nextPageToken ?? "";
    if (seen.length === 2) await placeOrder(ann, "between two pages");
  } while (token !== "");
  assert.deepEqual(seen, placed);
  const first = await ann.get<ListOrdersResponseJson>("/api/orders/list?pageSize=2");
  const misused = await ann.get(
    `/api/orders/list?pageSize=2&status=ORDER_STATUS_DONE&pageToken=${first.body.nextPageToken}`,
  );
  assert.deepEqual([misused.status, misused.body.violations?.[0]?.field], [400, "pageToken"]);
  assert.equal(
    (await ann.get("/api/orders/list?pageSize=101")).body.violations?.[0]?.field,
    "pageSize",
  );
});

test("a deleted order is gone", async () => {
  const ann = await register(url);
  const { id } = await placeOrder(ann);
  const deleted = await ann.delete(`/api/orders/del?id=${id}`);
  assert.deepEqual([deleted.status, deleted.body], [204, ""]);
  assert.equal((await ann.get(`/api/orders/info?id=${id}`)).status, 404);
  assert.equal((await ann.delete(`/api/orders/del?id=${id}`)).status, 404);
});

test("whoever logs out holds a dead cookie, and may log out again", async () => {
  const ann = await register(url);
  const { cookie } = ann;
  assert.equal((await ann.post("/api/users/out")).status, 204);
  assert.equal(ann.cookie, undefined, "the answer takes the cookie away");
  const late = Object.assign(new Client(url), { cookie });
  assert.equal((await late.get("/api/users/me")).status, 401);
  assert.equal((await late.post("/api/users/out")).status, 204);
});

test("deleting oneself ends the session, and the orders go soon after", async () => {
  const ann = await register(url);
  const admin = await logIn(url, adminEmail, adminPassword);
  const { id } = await placeOrder(ann);
  assert.equal((await ann.delete("/api/users/del")).status, 204);
  assert.equal(
    (await new Client(url).post("/api/users/log", { email: ann.email, password })).status,
    401,
  );
  await waitFor(
    "the order to go",
    async () => (await admin.get(`/api/orders/info?id=${id}`)).status === 404,
  );
});

test("an admin deletes others, but nobody deletes another user or the last admin", async () => {
  const [ann, bob] = await Promise.all([register(url, "Ann"), register(url, "Bob")]);
  const admin = await logIn(url, adminEmail, adminPassword);
  assert.equal((await ann.delete(`/api/users/del?id=${bob.id}`)).status, 403);
  const last = await admin.delete("/api/users/del");
  assert.deepEqual([last.status, last.body.code], [400, "failed_precondition"]);
  assert.equal((await admin.delete(`/api/users/del?id=${bob.id}`)).status, 204);
  assert.equal((await bob.get("/api/users/me")).status === 200, false);
});
