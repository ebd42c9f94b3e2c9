import assert from "node:assert/strict";
import type { Order } from "@3l1/gen/order/v1/order_pb.ts";
import type { TestUser } from "./platform.ts";

/** An order that is fine, of 2,100 cents. */
export const basket = {
  items: [
    { sku: "tea", quantity: 2, unitPriceMinor: 450n },
    { sku: "cup", quantity: 1, unitPriceMinor: 1_200n },
  ],
  currencyCode: "EUR",
  note: "to the door",
};

export async function placeOrder(user: TestUser): Promise<Order> {
  const { order } = await user.orders.createOrder(basket);
  assert(order);
  return order;
}
