import {
  type Order,
  type OrderEvent,
  OrderEventSchema,
  OrderSchema,
  OrderStatus,
} from "@3l1/gen/order/v1/order_pb.ts";
import { batched } from "@3l1/kit/batch.ts";
import { create, toBinary } from "@bufbuild/protobuf";
import { type Timestamp, timestampDate, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { ordersAtOnce } from "./limits.ts";
import { placedReason } from "./order.ts";
import type { orderEvents, orders } from "./schema.ts";
import { afterAllIds, prepareStatements } from "./statements.ts";

type OrderRow = typeof orders.$inferSelect;
type EventRow = typeof orderEvents.$inferSelect;
type Status = OrderRow["status"];

/** The answer to a request with an idempotency key, to be kept for its repeats. */
export interface KeyedAnswer {
  readonly key: string;
  /** SHA-256 of the request. */
  readonly requestHash: Uint8Array;
  /** The answer in protobuf's binary form. */
  readonly answer: Uint8Array;
  /** What was kept under the key before this time does not count any more. */
  readonly keptSince: Date;
}

/** What became of an order to be placed. */
export type Placement =
  | { readonly outcome: "placed" }
  /** The user has been deleted. */
  | { readonly outcome: "purged" }
  /** The key stands for an earlier request, and what that was answered. */
  | { readonly outcome: "repeated"; readonly requestHash: Uint8Array; readonly answer: Uint8Array };

/** Which orders a list shows. */
export interface OrderFilter {
  /** Whose. Default: everybody's. */
  readonly userId?: string | undefined;
  /** Default: in any status. */
  readonly status?: OrderStatus | undefined;
}

/** A change of an order that somebody has decided on. */
export interface StatusChange {
  /** The order as it was for the decision. */
  readonly order: Order;
  readonly to: OrderStatus;
  readonly actorId: string;
  /** For the history. */
  readonly reason: string;
  readonly at: Date;
}

/** Orders, their history, and what makes them happen once, in PostgreSQL. Rows never leave it. */
export type OrderStore = ReturnType<typeof createOrderStore>;

/** @param onChange called after each commit that those who watch orders should hear of */
export function createOrderStore(db: PostgresJsDatabase, onChange: () => void) {
  const statements = prepareStatements(db);

  async function findAll(ids: readonly string[]): Promise<(Order | undefined)[]> {
    const found = new Map<string, Order>();
    for (const row of await statements.find.execute({ ids: `{${ids.join()}}` }))
      found.set(row.id, toOrder(row));
    return ids.map((id) => found.get(id.toLowerCase()));
  }

  async function tryToPlace(order: Order, answer?: KeyedAnswer): Promise<Placement | undefined> {
    const values = placementValues(order);
    const [owner] = answer
      ? await statements.placeOnce.execute({ ...values, ...keyValues(order, answer) })
      : await statements.place.execute(values);
    if (owner === undefined) return undefined;
    if (owner.placedId !== null) {
      onChange();
      return { outcome: "placed" };
    }
    const [kept] = await statements.answer.execute({ user_id: order.userId, key: answer?.key });
    return kept && { ...kept, outcome: "repeated" };
  }

  return {
    /** Places an order with its first event, unless its user is gone or its key was seen before. */
    async place(order: Order, answer?: KeyedAnswer): Promise<Placement> {
      const placement = await tryToPlace(order, answer);
      if (placement !== undefined) return placement;
      // The user's first order, or a deleted user: then there is a row already, and enrolling changes nothing.
      await statements.enrol.execute({ user_id: order.userId });
      return (await tryToPlace(order, answer)) ?? { outcome: "purged" };
    },

    /** Orders that are looked for in one turn of the event loop are read by one query. */
    find: batched(ordersAtOnce, findAll),

    /** The newest orders first. @param before only orders placed before this one; default: all */
    async list({ userId, status }: OrderFilter, limit: number, before = afterAllIds) {
      const name = `list${userId ? "OfUser" : ""}${status ? "WithStatus" : ""}` as const;
      const values = { id: before, user_id: userId, status: status && toStatus(status), limit };
      return (await statements[name].execute(values)).map(toOrder);
    },

    /** The order after the change; `undefined` when it was changed or removed in between. */
    async changeStatus({ order, to, ...change }: StatusChange): Promise<Order | undefined> {
      const { id, version, status } = order;
      const values = { id, version, from: toStatus(status), to: toStatus(to), ...change };
      const updatedAt = timestampFromDate(change.at);
      const changed = create(OrderSchema, {
        ...order,
        status: to,
        version: version + 1,
        updatedAt,
      });
      const [row] = await statements.changeStatus.execute({ ...values, ...shown(changed) });
      if (row === undefined) return undefined;
      onChange();
      return toOrder(row);
    },

    /** Whether there was such an order. @param ownerId whose it has to be; default: anybody's */
    async remove(id: string, ownerId?: string): Promise<boolean> {
      const removed = await statements.remove.execute({ id, ownerId: ownerId ?? null });
      if (removed.length > 0) onChange();
      return removed.length > 0;
    },

    /** An order's history, the oldest event first. */
    async events(orderId: string): Promise<OrderEvent[]> {
      return (await statements.events.execute({ orderId })).map(toEvent);
    },

    /** From now on the user places no order any more. */
    async purge(userId: string, at: Date): Promise<void> {
      await statements.purge.execute({ user_id: userId, purged_at: at });
      await statements.forgetKeysOfUser.execute({ user_id: userId });
    },

    /** Removes some of a user's orders, and says how many. */
    async removeBatch(userId: string, limit: number): Promise<number> {
      const [removed] = await statements.removeBatch.execute({ user_id: userId, limit });
      if (removed?.count) onChange();
      return removed?.count ?? 0;
    },

    /** Takes the orders out of some of a user's changes, and says of how many. */
    async blankChangesBatch(userId: string, limit: number): Promise<number> {
      return (await statements.blankChanges.execute({ user_id: userId, limit }))[0]?.count ?? 0;
    },

    /** Forgets some of the idempotency keys that were kept long enough, and says how many. */
    async forgetKeysBatch(keptSince: Date, limit: number): Promise<number> {
      return (await statements.forgetKeysBatch.execute({ keptSince, limit })).count;
    },
  };
}

/** The parameters of the statements that place an order. */
function placementValues(order: Order): Record<string, unknown> {
  const row: OrderRow = {
    id: order.id,
    userId: order.userId,
    items: order.items.map(({ sku, quantity, unitPriceMinor }) => ({
      sku,
      quantity,
      unitPriceMinor: String(unitPriceMinor),
    })),
    currencyCode: order.currencyCode,
    totalMinor: order.totalMinor,
    note: order.note,
    status: toStatus(order.status),
    version: order.version,
    createdAt: dateOf(order.createdAt),
    updatedAt: dateOf(order.updatedAt),
  };
  const event: EventRow = {
    orderId: row.id,
    version: row.version,
    actorId: row.userId,
    fromStatus: null,
    toStatus: row.status,
    reason: placedReason,
    createdAt: row.createdAt,
  };
  return { ...prefixed("order", row), ...prefixed("event", event), ...shown(order) };
}

/** The parameter with the order as those who watch are to see it. */
function shown(order: Order): Record<string, unknown> {
  return { "change.order": toBinary(OrderSchema, order) };
}

function keyValues({ userId, createdAt }: Order, answer: KeyedAnswer): Record<string, unknown> {
  const row = { ...answer, userId, createdAt: dateOf(createdAt) };
  return { ...prefixed("key", row), keptSince: answer.keptSince };
}

function prefixed(prefix: string, row: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).map(([key, value]) => [`${prefix}.${key}`, value]));
}

function toOrder(row: OrderRow): Order {
  return create(OrderSchema, {
    ...row,
    items: row.items.map((item) => ({ ...item, unitPriceMinor: BigInt(item.unitPriceMinor) })),
    status: fromStatus[row.status],
    createdAt: timestampFromDate(row.createdAt),
    updatedAt: timestampFromDate(row.updatedAt),
  });
}

function toEvent(row: EventRow): OrderEvent {
  return create(OrderEventSchema, {
    actorId: row.actorId,
    fromStatus: row.fromStatus ? fromStatus[row.fromStatus] : OrderStatus.UNSPECIFIED,
    toStatus: fromStatus[row.toStatus],
    reason: row.reason,
    createdAt: timestampFromDate(row.createdAt),
  });
}

const fromStatus: Readonly<Record<Status, OrderStatus>> = {
  processing: OrderStatus.PROCESSING,
  done: OrderStatus.DONE,
  cancelled: OrderStatus.CANCELLED,
};

function toStatus(status: OrderStatus): Status {
  const found = Object.entries(fromStatus).find(([, value]) => value === status);
  if (found === undefined) throw new Error(`no order is kept with status ${status}`);
  return found[0] as Status;
}

function dateOf(timestamp: Timestamp | undefined): Date {
  if (timestamp === undefined) throw new Error("an order to be kept has its times");
  return timestampDate(timestamp);
}
