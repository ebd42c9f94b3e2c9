import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { basket, placeOrder } from "../test/basket.ts";
import { failureOf } from "../test/failure-of.ts";
import { createTestPlatform, type TestPlatform, type TestUser } from "../test/platform.ts";

const { UNSPECIFIED, PROCESSING, DONE, CANCELLED } = OrderStatus;

let platform: TestPlatform;
before(async () => {
  platform = await createTestPlatform(process.env);
});
after(() => platform?.stop());

test("an order is placed with its total, and read back as it was answered", async () => {
  const user = await platform.user();
  const order = await placeOrder(user);
  assert.equal(order.totalMinor, 2_100n);
  assert.equal(order.userId, user.id);
  assert.equal(order.status, PROCESSING);
  assert.equal(order.version, 1);
  assert.match(order.id, /^[\da-f]{8}-[\da-f]{4}-7/);
  assert.deepEqual((await user.orders.getOrder({ id: order.id })).order, order);
});

test("of orders that many look for at once everybody finds the own", async () => {
  const [ann, bob] = [await platform.user(), await platform.user()];
  const places = Array.from({ length: 100 }, (_, index) => placeOrder(index % 2 ? bob : ann));
  const placed = await Promise.all(places);
  const look = ({ orders }: TestUser, id: string) =>
    orders.getOrder({ id }).then(
      ({ order }) => order?.id,
      (error) => Code[ConnectError.from(error).code],
    );
  const found = await Promise.all(
    placed.flatMap(({ id }) => [look(ann, id), look(bob, id.toUpperCase()), look(ann, uuidv7())]),
  );
  const wanted = placed.flatMap(({ id, userId }) => [
    userId === ann.id ? id : "NotFound",
    userId === bob.id ? id : "NotFound",
    "NotFound",
  ]);
  assert.deepEqual(found, wanted);
});

test("prices beyond 2^53 and a note in any script survive the database", async () => {
  const user = await platform.user();
  const unitPriceMinor = 9_007_199_254_740_993n;
  const note = 'до двери, 到门口 🚪\n\t"x"; drop table orders --\\';
  const items = [{ sku: "gold", quantity: 1, unitPriceMinor }];
  const { order } = await user.orders.createOrder({ items, currencyCode: "JPY", note });
  const found = (await user.orders.getOrder({ id: order?.id ?? "" })).order;
  assert.equal(found?.items[0]?.unitPriceMinor, unitPriceMinor);
  assert.equal(found?.totalMinor, unitPriceMinor);
  assert.equal(found?.note, note);
});

test("a bad order names the field that is wrong", async () => {
  const { orders } = await platform.user();
  const [item] = basket.items;
  const many = { ...item, quantity: 10_000, unitPriceMinor: 2n ** 62n };
  const bad: [string, Parameters<typeof orders.createOrder>[0]][] = [
    ["currency_code", { ...basket, currencyCode: "ABC" }],
    ["currency_code", { ...basket, currencyCode: "euro" }],
    ["items", { ...basket, items: [] }],
    ["items", { ...basket, items: Array.from({ length: 101 }, () => ({ ...item })) }],
    ["items", { ...basket, items: [many] }],
    ["items", { ...basket, items: [{ ...item, quantity: 0 }] }],
    ["items", { ...basket, items: [{ ...item, unitPriceMinor: -1n }] }],
    ["items", { ...basket, items: [{ ...item, sku: "no spaces" }] }],
    ["note", { ...basket, note: "a\0b" }],
  ];
  for (const [field, request] of bad)
    assert.equal(await failureOf(orders.createOrder(request)), `InvalidArgument ${field}`);
});

test("another's order is as absent as one that never was, except for an administrator", async () => {
  const [owner, stranger, admin] = await everybody();
  const { id } = await placeOrder(owner);
  for (const absent of [id, uuidv7()]) {
    const { orders } = stranger;
    const attempts = [
      orders.getOrder({ id: absent }),
      orders.listOrderEvents({ id: absent }),
      orders.setOrderStatus({ id: absent, status: CANCELLED }),
      orders.setOrderStatus({ id: absent, status: DONE, version: 9 }),
      orders.deleteOrder({ id: absent }),
    ];
    const failures = await Promise.all(attempts.map(failureOf));
    assert.deepEqual(new Set(failures), new Set(["NotFound"]));
  }
  assert.equal((await admin.orders.getOrder({ id })).order?.id, id);
});

test("whoever has no token is told to log in", async () => {
  const nobody = platform.nobody();
  assert.equal(await failureOf(nobody.createOrder(basket)), "Unauthenticated");
  assert.equal(await failureOf(nobody.listOrders({})), "Unauthenticated");
});

test("the history tells who moved an order, from where to where, why and when", async () => {
  const [owner, , admin] = await everybody();
  const { id, createdAt } = await placeOrder(owner);
  const { order } = await admin.orders.setOrderStatus({ id, status: DONE, version: 1 });
  assert.equal(order?.status, DONE);
  assert.equal(order?.version, 2);
  const { events } = await owner.orders.listOrderEvents({ id });
  assert.deepEqual(
    events.map(({ actorId, fromStatus, toStatus, reason }) => ({
      actorId,
      fromStatus,
      toStatus,
      reason,
    })),
    [
      { actorId: owner.id, fromStatus: UNSPECIFIED, toStatus: PROCESSING, reason: "placed" },
      {
        actorId: admin.id,
        fromStatus: PROCESSING,
        toStatus: DONE,
        reason: "finished by an administrator",
      },
    ],
  );
  assert.deepEqual(events[0]?.createdAt, createdAt);
  assert.deepEqual(events[1]?.createdAt, order?.updatedAt);
});

test("an owner cancels an order once, and cannot finish it", async () => {
  const [owner] = await everybody();
  const { id } = await placeOrder(owner);
  const set = (status: OrderStatus, version?: number) =>
    owner.orders.setOrderStatus(version === undefined ? { id, status } : { id, status, version });
  assert.equal(await failureOf(set(DONE)), "PermissionDenied");
  assert.equal(await failureOf(set(UNSPECIFIED)), "InvalidArgument status");
  assert.equal(await failureOf(set(CANCELLED, 2)), "Aborted");
  assert.equal((await set(CANCELLED)).order?.status, CANCELLED);
  assert.equal(await failureOf(set(CANCELLED)), "FailedPrecondition TRANSITION_NOT_ALLOWED");
  assert.equal(await failureOf(set(CANCELLED, 1)), "Aborted");
});

test("of many who move an order at the same time one succeeds, and the history has one event for it", async () => {
  const [owner, , admin] = await everybody();
  const { id } = await placeOrder(owner);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      i % 2
        ? admin.orders.setOrderStatus({ id, status: DONE }).catch(() => undefined)
        : owner.orders.setOrderStatus({ id, status: CANCELLED, version: 1 }).catch(() => undefined),
    ),
  );
  const winners = outcomes.filter((outcome) => outcome !== undefined);
  assert.equal(winners.length, 1);
  const { events } = await owner.orders.listOrderEvents({ id });
  assert.equal(events.length, 2);
  assert.equal(events[1]?.toStatus, winners[0]?.order?.status);
});

test("a deleted order is gone with its history, once", async () => {
  const [owner, , admin] = await everybody();
  const [mine, theirs] = [await placeOrder(owner), await placeOrder(owner)];
  await owner.orders.deleteOrder({ id: mine.id });
  await admin.orders.deleteOrder({ id: theirs.id });
  for (const { id } of [mine, theirs]) {
    assert.equal(await failureOf(owner.orders.getOrder({ id })), "NotFound");
    assert.equal(await failureOf(owner.orders.listOrderEvents({ id })), "NotFound");
    assert.equal(await failureOf(owner.orders.deleteOrder({ id })), "NotFound");
  }
});

async function everybody(): Promise<[owner: TestUser, stranger: TestUser, admin: TestUser]> {
  return [await platform.user(), await platform.user(), await platform.user({ admin: true })];
}
