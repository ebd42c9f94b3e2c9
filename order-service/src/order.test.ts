import assert from "node:assert/strict";
import { test } from "node:test";
import { OrderItemSchema, OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { create } from "@bufbuild/protobuf";
import { failureOf } from "../test/failure-of.ts";
import { decideTransition, type Role, totalMinorOf } from "./order.ts";

const { PROCESSING, DONE, CANCELLED } = OrderStatus;

async function decide(from: OrderStatus, to: OrderStatus, role: Role, version?: number) {
  const order = { status: from, version: 7 };
  try {
    return decideTransition(order, to, role, version);
  } catch (error) {
    return failureOf(Promise.reject(error));
  }
}

const finalStatus = "FailedPrecondition TRANSITION_NOT_ALLOWED";
const table: [from: OrderStatus, to: OrderStatus, owner: string, admin: string][] = [
  [PROCESSING, CANCELLED, "cancelled by the owner", "cancelled by an administrator"],
  [PROCESSING, DONE, "PermissionDenied", "finished by an administrator"],
  [PROCESSING, PROCESSING, "PermissionDenied", finalStatus],
  [DONE, CANCELLED, finalStatus, finalStatus],
  [DONE, DONE, "PermissionDenied", finalStatus],
  [DONE, PROCESSING, "PermissionDenied", finalStatus],
  [CANCELLED, CANCELLED, finalStatus, finalStatus],
  [CANCELLED, DONE, "PermissionDenied", finalStatus],
  [CANCELLED, PROCESSING, "PermissionDenied", finalStatus],
];

test("an owner cancels, an administrator finishes or cancels, and both are final", async () => {
  for (const [from, to, owner, admin] of table) {
    assert.equal(await decide(from, to, "owner"), owner, `owner: ${from} to ${to}`);
    assert.equal(await decide(from, to, "admin"), admin, `admin: ${from} to ${to}`);
    assert.equal(await decide(from, to, "stranger"), "PermissionDenied");
  }
});

test("a decision on an older version is refused, whatever it would have been", async () => {
  assert.equal(await decide(PROCESSING, CANCELLED, "owner", 7), "cancelled by the owner");
  assert.equal(await decide(PROCESSING, CANCELLED, "owner", 6), "Aborted");
  assert.equal(await decide(DONE, CANCELLED, "owner", 6), "Aborted");
  assert.equal(await decide(PROCESSING, DONE, "owner", 6), "PermissionDenied");
});

const items = (...lines: [quantity: number, unitPriceMinor: bigint][]) =>
  lines.map(([quantity, unitPriceMinor]) =>
    create(OrderItemSchema, { sku: "tea", quantity, unitPriceMinor }),
  );

test("a total is exact up to the largest int64, and refused above", async () => {
  assert.equal(totalMinorOf(items([3, 333n], [1, 1n])), 1_000n);
  const largest = 9_223_372_036_854_775_807n;
  assert.equal(totalMinorOf(items([1, largest - 1n], [1, 1n])), largest);
  const tooMuch = async () => totalMinorOf(items([1, largest], [1, 1n]));
  assert.equal(await failureOf(tooMuch()), "InvalidArgument items");
});
