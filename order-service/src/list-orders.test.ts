import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { basket, placeOrder } from "../test/basket.ts";
import { failureOf } from "../test/failure-of.ts";
import { createTestPlatform, type TestPlatform, type TestUser } from "../test/platform.ts";

const { PROCESSING, CANCELLED } = OrderStatus;

let platform: TestPlatform;
before(async () => {
  platform = await createTestPlatform(process.env);
});
after(() => platform?.stop());

interface Query {
  readonly pageSize?: number;
  readonly status?: OrderStatus;
  readonly userId?: string;
}

/** The ids of all pages, one array a page. */
async function pages(user: TestUser, query: Query, between = async () => {}) {
  const found: string[][] = [];
  let pageToken = "";
  do {
    const page = await user.orders.listOrders({ ...query, pageToken });
    found.push(page.orders.map(({ id }) => id));
    pageToken = page.nextPageToken;
    await between();
  } while (pageToken !== "");
  return found;
}

async function placeOrders(user: TestUser, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.unshift((await placeOrder(user)).id);
  return ids;
}

test("pages hold all of one's own orders, the newest first, and the last page ends them", async () => {
  const [user, other] = [await platform.user(), await platform.user()];
  const ids = await placeOrders(user, 7);
  await placeOrder(other);
  assert.deepEqual(await pages(user, { pageSize: 3 }), [
    ids.slice(0, 3),
    ids.slice(3, 6),
    ids.slice(6),
  ]);
  assert.deepEqual(await pages(user, { pageSize: 7 }), [ids]);
  assert.deepEqual(await pages(await platform.user(), {}), [[]]);
});

test("orders that come in between shift no page", async () => {
  const user = await platform.user();
  const ids = await placeOrders(user, 6);
  const found = await pages(user, { pageSize: 2 }, async () => {
    await placeOrder(user);
  });
  assert.deepEqual(found.flat(), ids);
});

test("a page holds twenty orders unless told otherwise", async () => {
  const user = await platform.user();
  await placeOrders(user, 21);
  assert.deepEqual(
    (await pages(user, {})).map(({ length }) => length),
    [20, 1],
  );
  const tooMany = user.orders.listOrders({ pageSize: 101 });
  assert.equal(await failureOf(tooMany), "InvalidArgument page_size");
});

test("a status keeps only its own orders, over all pages", async () => {
  const user = await platform.user();
  const ids = await placeOrders(user, 6);
  const cancelled = ids.filter((_, i) => i % 2 === 0);
  for (const id of cancelled) await user.orders.setOrderStatus({ id, status: CANCELLED });
  const withStatus = async (status: OrderStatus) =>
    (await pages(user, { status, pageSize: 2 })).flat();
  assert.deepEqual(await withStatus(CANCELLED), cancelled);
  assert.deepEqual(
    await withStatus(PROCESSING),
    ids.filter((id) => !cancelled.includes(id)),
  );
});

test("an administrator lists everybody's orders, or one user's", async () => {
  const [user, admin] = [await platform.user(), await platform.user({ admin: true })];
  const ids = await placeOrders(user, 3);
  const all = (await pages(admin, { pageSize: 100 })).flat();
  assert.deepEqual(all.slice(0, 3), ids);
  assert.deepEqual(await pages(admin, { userId: user.id.toUpperCase() }), [ids]);
  const processing = await pages(admin, { status: PROCESSING, pageSize: 100 });
  assert.deepEqual(processing.flat().slice(0, 3), ids);
});

test("nobody else lists another's orders, and it makes no difference whether there is such a user", async () => {
  const [user, other] = [await platform.user(), await platform.user()];
  await placeOrder(other);
  for (const userId of [other.id, "01890000-0000-7000-8000-000000000000"])
    assert.equal(await failureOf(user.orders.listOrders({ userId })), "PermissionDenied");
  assert.deepEqual(await pages(user, { userId: user.id }), [[]]);
});

test("a page token is good for its own query only, and not when it was changed", async () => {
  const [user, other] = [await platform.user(), await platform.user()];
  await placeOrders(user, 3);
  const { nextPageToken } = await user.orders.listOrders({ pageSize: 1 });
  const refused: [TestUser, { pageToken: string; status?: OrderStatus }][] = [
    [other, { pageToken: nextPageToken }],
    [user, { pageToken: nextPageToken, status: PROCESSING }],
    [user, { pageToken: `${nextPageToken}A` }],
    [user, { pageToken: nextPageToken.replace(/^./, (first) => (first === "W" ? "X" : "W")) }],
    [user, { pageToken: "garbage" }],
    [user, { pageToken: "{}.{}" }],
  ];
  for (const [{ orders }, request] of refused)
    assert.equal(await failureOf(orders.listOrders(request)), "InvalidArgument page_token");
  const larger = await user.orders.listOrders({ pageToken: nextPageToken, pageSize: 2 });
  assert.equal(larger.orders.length, 2);
  assert.equal(larger.nextPageToken, "");
});

test("what a list shows of an order is the order", async () => {
  const user = await platform.user();
  const { order } = await user.orders.createOrder(basket);
  assert.deepEqual((await user.orders.listOrders({})).orders, [order]);
});
