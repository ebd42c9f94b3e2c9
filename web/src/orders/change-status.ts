import type { Order, OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { Code } from "@connectrpc/connect";
import { orders as client } from "../api/clients.ts";
import { hasCode } from "../api/failure.ts";
import { user } from "../api/session.ts";
import { toast } from "../parts/toasts.tsx";
import { takeOrders } from "./order-book.ts";
import { nameOf } from "./status.tsx";

/**
 * Moves an order on, from the version that is on the screen: who has not seen the last change does not
 * overrule it, but gets to see it.
 */
export async function changeStatus(
  { id, version }: Order,
  status: OrderStatus,
): Promise<Order | undefined> {
  try {
    const { order } = await client.setOrderStatus({ id, version, status });
    toast(`The order is ${nameOf(status).toLowerCase()}.`);
    return keep(order);
  } catch (error) {
    if (!hasCode(error, Code.Aborted)) throw error;
    const { order } = await client.getOrder({ id });
    toast("The order has changed meanwhile. This is how it is now.", "wrong");
    return keep(order);
  }
}

/** The book is for one's own orders. */
function keep(order: Order | undefined): Order | undefined {
  if (order && order.userId === user.peek()?.id) takeOrders([order]);
  return order;
}
