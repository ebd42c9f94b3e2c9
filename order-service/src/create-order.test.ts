import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { CreateOrderResponseSchema } from "@3l1/gen/order/v1/order_service_pb.ts";
import { toBinary } from "@bufbuild/protobuf";
import postgres, { type Sql } from "postgres";
import { basket } from "../test/basket.ts";
import { failureOf } from "../test/failure-of.ts";
import { createTestPlatform, type TestPlatform } from "../test/platform.ts";

let platform: TestPlatform;
let sql: Sql;
before(async () => {
  platform = await createTestPlatform(process.env, { copies: 2 });
  sql = postgres(platform.databaseUrl, { max: 2 });
});
after(async () => {
  await sql?.end();
  await platform?.stop();
});

const withKey = (key: string) => ({ headers: { "idempotency-key": key } });

test("a repeat gets the first answer byte for byte, whatever became of the order", async () => {
  const user = await platform.user();
  const first = await user.orders.createOrder(basket, withKey("k1"));
  const id = first.order?.id ?? "";
  await user.orders.setOrderStatus({ id, status: OrderStatus.CANCELLED });
  const repeat = await user.at(1).createOrder(basket, withKey("k1"));
  assert.deepEqual(
    toBinary(CreateOrderResponseSchema, repeat),
    toBinary(CreateOrderResponseSchema, first),
  );
  await user.orders.deleteOrder({ id });
  assert.deepEqual(await user.orders.createOrder(basket, withKey("k1")), first);
  assert.equal((await user.orders.listOrders({})).orders.length, 0);
});

test("fifty repeats at once, over two copies of the service, make one order and one event", async () => {
  const user = await platform.user();
  const answers = await Promise.all(
    Array.from({ length: 50 }, (_, i) => user.at(i % 2).createOrder(basket, withKey("burst"))),
  );
  const ids = new Set(answers.map(({ order }) => order?.id));
  assert.equal(ids.size, 1);
  const { orders } = await user.orders.listOrders({});
  assert.deepEqual(
    orders.map(({ id }) => id),
    [...ids],
  );
  const { events } = await user.orders.listOrderEvents({ id: orders[0]?.id ?? "" });
  assert.equal(events.length, 1);
});

test("another body under the same key is refused, and changes nothing", async () => {
  const user = await platform.user();
  const first = await user.orders.createOrder(basket, withKey("k"));
  const other = user.orders.createOrder({ ...basket, note: "elsewhere" }, withKey("k"));
  assert.equal(await failureOf(other), "InvalidArgument IDEMPOTENCY_KEY_REUSED");
  assert.deepEqual(await user.orders.createOrder(basket, withKey("k")), first);
  assert.equal((await user.orders.listOrders({})).orders.length, 1);
});

test("of two bodies that come under one key at once, one becomes the order", async () => {
  const user = await platform.user();
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) =>
      user
        .at(i % 2)
        .createOrder({ ...basket, note: `note ${i % 2}` }, withKey("k"))
        .then(
          ({ order }) => order?.id,
          (error) => failureOf(Promise.reject(error)),
        ),
    ),
  );
  const [order] = (await user.orders.listOrders({})).orders;
  assert.deepEqual(
    new Set(outcomes),
    new Set([order?.id, "InvalidArgument IDEMPOTENCY_KEY_REUSED"]),
  );
});

test("the same key of another user, and a request without a key, stand for orders of their own", async () => {
  const [user, other] = [await platform.user(), await platform.user()];
  const answers = [
    await user.orders.createOrder(basket, withKey("k")),
    await other.orders.createOrder(basket, withKey("k")),
    await user.orders.createOrder(basket),
    await user.orders.createOrder(basket),
  ];
  assert.equal(new Set(answers.map(({ order }) => order?.id)).size, 4);
});

test("a key that stood for a refused request is free again", async () => {
  const user = await platform.user();
  const bad = user.orders.createOrder({ ...basket, currencyCode: "ABC" }, withKey("k"));
  assert.equal(await failureOf(bad), "InvalidArgument currency_code");
  assert.ok((await user.orders.createOrder(basket, withKey("k"))).order);
});

test("a key counts for a day, and then anew", async () => {
  const user = await platform.user();
  const first = await user.orders.createOrder(basket, withKey("k"));
  const age = (hours: number) =>
    sql`update idempotency_keys set created_at = now() - make_interval(mins => ${hours * 60})
      where user_id = ${user.id}`;
  await age(23.9);
  assert.deepEqual(await user.orders.createOrder(basket, withKey("k")), first);
  await age(24.1);
  const changed = { ...basket, note: "a day later" };
  const second = await user.orders.createOrder(changed, withKey("k"));
  assert.notEqual(second.order?.id, first.order?.id);
  assert.deepEqual(await user.orders.createOrder(changed, withKey("k")), second);
});

test("a key is 1 to 255 visible ASCII characters", async () => {
  const { orders } = await platform.user();
  for (const key of ["!", "~".repeat(255), "550e8400-e29b-41d4-a716-446655440000"])
    assert.ok((await orders.createOrder(basket, withKey(key))).order);
  for (const key of ["", "two words", "a, b", "x".repeat(256)]) {
    const refused = await failureOf(orders.createOrder(basket, withKey(key)));
    assert.equal(refused, "InvalidArgument idempotency-key");
  }
});
