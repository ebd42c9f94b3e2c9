import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { type Order, OrderSchema } from "@3l1/gen/order/v1/order_pb.ts";
import { create } from "@bufbuild/protobuf";
import {
  forgetOrders,
  isRemoved,
  orderOf,
  ownOrders,
  removeOrder,
  replaceOrders,
  takeOrders,
} from "./order-book.ts";

const order = (id: string, version = 1): Order => create(OrderSchema, { id, version });

beforeEach(forgetOrders);

test("orders stand with the newest first, whatever the sequence in which they came", () => {
  takeOrders([order("02"), order("01")]);
  takeOrders([order("03")]);
  assert.deepEqual(
    ownOrders.value.map(({ id }) => id),
    ["03", "02", "01"],
  );
});

test("a list that was asked for before a change does not take the change back", () => {
  assert.equal(takeOrders([order("01", 2)]), true);
  assert.equal(takeOrders([order("01", 1)]), false);
  assert.equal(orderOf("01")?.version, 2);
});

test("what was removed does not come back with a late list", () => {
  takeOrders([order("01")]);
  assert.equal(removeOrder("01"), true);
  takeOrders([order("01")]);
  replaceOrders([order("01"), order("02")]);
  assert.equal(isRemoved("01"), true);
  assert.deepEqual(
    ownOrders.value.map(({ id }) => id),
    ["02"],
  );
});

test("whoever logs in next sees nothing of it", () => {
  takeOrders([order("01")]);
  forgetOrders();
  assert.deepEqual(ownOrders.value, []);
  assert.equal(isRemoved("01"), false);
});
