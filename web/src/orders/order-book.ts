import type { Order } from "@3l1/gen/order/v1/order_pb.ts";
import { computed, signal } from "@preact/signals";

/*
 * What this tab knows of one's own orders. Lists and the live stream bring them in any order; the higher
 * version of an order wins, and what was removed does not come back.
 */

const known = signal<ReadonlyMap<string, Order>>(new Map());
const removed = new Set<string>();

/** The orders, the newest first: their ids begin with the time. */
export const ownOrders = computed(() =>
  [...known.value.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
);

/** One order, if it is known here. */
export function orderOf(id: string): Order | undefined {
  return known.value.get(id);
}

/** Whether an order was seen to be removed. */
export function isRemoved(id: string): boolean {
  return !known.value.has(id) && removed.has(id);
}

/** Takes orders in. Answers whether any was news. */
export function takeOrders(orders: readonly Order[]): boolean {
  const fresh = orders.filter(
    ({ id, version }) => !removed.has(id) && version > (known.value.get(id)?.version ?? 0),
  );
  if (fresh.length > 0)
    known.value = new Map([...known.value, ...fresh.map((each) => [each.id, each] as const)]);
  return fresh.length > 0;
}

/** An order is gone. Answers whether it was known. */
export function removeOrder(id: string): boolean {
  removed.add(id);
  const next = new Map(known.value);
  const wasThere = next.delete(id);
  known.value = next;
  return wasThere;
}

/** Forgets all but what a list has just said. */
export function replaceOrders(orders: readonly Order[]): void {
  known.value = new Map();
  takeOrders(orders);
}

/** Forgets all. */
export function forgetOrders(): void {
  removed.clear();
  known.value = new Map();
}
