import {
  bigint,
  customType,
  foreignKey,
  index,
  integer,
  jsonb,
  pgEnum,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "@3l1/kit/stores/drizzle.ts";

const instant = (name: string) => timestamp(name, { precision: 3, withTimezone: true });
const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
/** A transaction's id that never wraps around. */
const xid8 = customType<{ data: bigint; driverData: string }>({
  dataType: () => "xid8",
  fromDriver: BigInt,
  toDriver: String,
});

/** Where an order stands. */
export const orderStatus = pgEnum("order_status", ["processing", "done", "cancelled"]);

/** An item as it is kept. The price is text, since a JSON number in JavaScript is exact up to 2^53 only. */
export interface ItemRow {
  readonly sku: string;
  readonly quantity: number;
  readonly unitPriceMinor: string;
}

/**
 * Everybody who ever placed an order here. A row with `purgedAt` is the tombstone of a deleted user.
 * Placing an order holds the row's share lock, so it comes before or after a purge, never beside it.
 */
export const owners = pgTable("owners", {
  userId: uuid("user_id").primaryKey(),
  purgedAt: instant("purged_at"),
});

/** Orders. Ids are UUIDv7, so that their order is the order of creation. */
export const orders = pgTable(
  "orders",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id").notNull(),
    items: jsonb("items").$type<readonly ItemRow[]>().notNull(),
    currencyCode: text("currency_code").notNull(),
    totalMinor: bigint("total_minor", { mode: "bigint" }).notNull(),
    note: text("note").notNull(),
    status: orderStatus("status").notNull(),
    version: integer("version").notNull(),
    createdAt: instant("created_at").notNull(),
    updatedAt: instant("updated_at").notNull(),
  },
  (table) => [
    // One index a list, each in the list's own order: a page is read without sorting or skipping.
    index("orders_by_user").on(table.userId, table.id),
    index("orders_by_user_and_status").on(table.userId, table.status, table.id),
    index("orders_by_status").on(table.status, table.id),
  ],
);

/** The history of orders: one row a version. */
export const orderEvents = pgTable(
  "order_events",
  {
    orderId: uuid("order_id").notNull(),
    /** The order's version after the change. */
    version: integer("version").notNull(),
    actorId: uuid("actor_id").notNull(),
    /** Null in the first event. */
    fromStatus: orderStatus("from_status"),
    toStatus: orderStatus("to_status").notNull(),
    reason: text("reason").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.orderId, table.version] }),
    foreignKey({ columns: [table.orderId], foreignColumns: [orders.id] }).onDelete("cascade"),
  ],
);

/** First answers, by the key under which their repeats come. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    userId: uuid("user_id").notNull(),
    key: text("key").notNull(),
    /** SHA-256 of the request. */
    requestHash: bytea("request_hash").notNull(),
    /** The answer in protobuf's binary form. */
    answer: bytea("answer").notNull(),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.key] }),
    index("idempotency_keys_by_age").on(table.createdAt),
  ],
);

/** What can happen to an order, as far as those who watch are concerned. */
export const orderChangeKind = pgEnum("order_change_kind", ["created", "changed", "deleted"]);

/**
 * Changes of orders for those who watch, written with the change itself and kept for a while. Their
 * order is that of (tx, id): ids alone come from a sequence, which knows nothing of commits. Whoever
 * reads only what is below the oldest transaction under way sees no row appear before one already read.
 */
export const orderChanges = pgTable(
  "order_changes",
  {
    /** The transaction that made the change. */
    tx: xid8("tx").notNull(),
    id: bigint("id", { mode: "bigint" }).notNull().generatedAlwaysAsIdentity(),
    userId: uuid("user_id").notNull(),
    orderId: uuid("order_id").notNull(),
    kind: orderChangeKind("kind").notNull(),
    /** The order after the change, in protobuf's binary form. Null when it is gone. */
    order: bytea("order"),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.tx, table.id] }),
    // For whoever resumes: only what concerns one user.
    index("order_changes_by_user").on(table.userId, table.tx, table.id),
  ],
);

/** Up to where changes have been forgotten. One row, or none as long as there was nothing to forget. */
export const orderChangesForgotten = pgTable("order_changes_forgotten", {
  /** Always 1. */
  one: integer("one").primaryKey(),
  tx: xid8("tx").notNull(),
  id: bigint("id", { mode: "bigint" }).notNull(),
});
