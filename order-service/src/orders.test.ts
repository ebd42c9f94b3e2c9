import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import type { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf } from "@3l1/kit/failure.ts";
import { type Code, ConnectError } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { createTestPlatform, type TestPlatform, type TestUser } from "../test/platform.ts";

const { PROCESSING, DONE, CANCELLED, UNSPECIFIED } = OrderStatus;

let platform: TestPlatform;
before(async () => {
  platform = await createTestPlatform(process.env["TEST_DATABASE_URL"]);
});
after(() => platform?.stop());

const basket = {
  items: [
    { sku: "tea", quantity: 2, unitPriceMinor: 450n },
    { sku: "cup", quantity: 1, unitPriceMinor: 1_200n },
  ],
  currencyCode: "EUR",
  note: "to the door",
};

async function placeOrder(user: TestUser) {
  const { order } = await user.orders.createOrder(basket);
  assert(order);
  return order;
}

async function failureOf(call: Promise<unknown>): Promise<{ code: Code; reason: Reason }> {
  const error = await call.then(
    () => assert.fail("the call should have failed"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  return { code: error.code, reason: reasonOf(error) };
}

test("an order is placed with its total, and read back as it was answered", async () => {
  const user = await platform.user();
  const order = await placeOrder(user);
  assert.equal(order.totalMinor, 2_100n);
  assert.equal(order.userId, user.id);
  assert.equal(order.status, PROCESSING);
  assert.equal(order.version, 1);
  assert.deepEqual((await user.orders.getOrder({ id: order.id })).order, order);
});
