import { and, asc, desc, eq, lt, sql } from "@3l1/kit/stores/drizzle.ts";
import type { Column, SQL, SQLWrapper } from "drizzle-orm";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { blankChanges, noteChanges } from "./change-statements.ts";
import { idempotencyKeys, orderChanges, orderEvents, orders, owners } from "./schema.ts";
import { given, list, row } from "./sql-parts.ts";

type Db = PostgresJsDatabase;

/** Above every id: where the first page starts. */
export const afterAllIds = "ffffffff-ffff-ffff-ffff-ffffffffffff";

/**
 * Every statement of the service, prepared by name: PostgreSQL parses it once a connection, drizzle
 * builds it once a process. What must happen together is one statement, so it needs no transaction
 * of several round trips.
 */
export function prepareStatements(db: Db) {
  return {
    enrol: enrol(db),
    place: place(db),
    placeOnce: placeOnce(db),
    find: db
      .select()
      .from(orders)
      // One parameter, however many ids: it is one prepared statement.
      .where(sql`${orders.id} = any(${sql.placeholder("ids")}::uuid[])`)
      .prepare("find_orders"),
    list: page(db, "list_orders"),
    listOfUser: page(db, "list_orders_of_user", orders.userId),
    listWithStatus: page(db, "list_orders_with_status", orders.status),
    listOfUserWithStatus: page(db, "list_orders_of_user_with_status", orders.userId, orders.status),
    changeStatus: changeStatus(db),
    remove: remove(db),
    events: events(db),
    answer: answer(db),
    purge: purge(db),
    removeBatch: removeBatch(db),
    blankChanges: blankChanges(db),
    forgetKeysOfUser: forgetKeysOfUser(db),
    forgetKeysBatch: forgetKeysBatch(db),
  };
}

/**
 * A page of the orders that have the same values in some columns, the newest first. It asks for the
 * range of rows before a position in the index over these columns and the id, and for the order of
 * that very index. Equality and the order of ids would say the same, but then a plan for all values may
 * walk along the ids of everybody's orders, and to find a few among them that is a long way.
 */
function page(db: Db, name: string, ...columns: readonly Column[]) {
  const keys = [...columns, orders.id];
  const values = (some: readonly Column[]) => list(some.map((column) => given(column)));
  const before = sql`(${list(keys)}) < (${values(keys)})`;
  const within = sql`(${list(columns)}) >= (${values(columns)})`;
  return db
    .select()
    .from(orders)
    .where(columns.length > 0 ? and(before, within) : before)
    .orderBy(...keys.map((key) => desc(key)))
    .limit(sql.placeholder("limit"))
    .prepare(name);
}

/** The user's row, locked against a purge; none if there is no row yet, or only a tombstone. */
function livingOwner(db: Db) {
  return db.$with("owner").as(
    db
      .select({ userId: owners.userId })
      .from(owners)
      .where(
        and(
          eq(owners.userId, given(owners.userId, "order.userId")),
          sql`${owners.purgedAt} is null`,
        ),
      )
      .for("share"),
  );
}

/** Order, first event and the word to those who watch, for each row of `source`. */
function placement(db: Db, source: SQL) {
  const order = db.$with("placed").as(
    db
      .insert(orders)
      .select(sql`select ${row(orders, "order")} from ${source}`)
      .returning({ id: orders.id, userId: orders.userId }),
  );
  const event = db.$with("event").as(
    db
      .insert(orderEvents)
      .select(sql`select ${row(orderEvents, "event")} from placed`)
      .returning({ orderId: orderEvents.orderId }),
  );
  return [order, event, noteChanges(db, "created", sql`placed`, orderNow)] as const;
}

/** The order as those who watch are to see it. */
const orderNow = given(orderChanges.order, "change.order");

const outcome = { placedId: sql<string | null>`(select id from placed)` };

function enrol(db: Db) {
  return db
    .insert(owners)
    .values({ userId: given(owners.userId), purgedAt: null })
    .onConflictDoNothing()
    .prepare("enrol_owner");
}

function place(db: Db) {
  const owner = livingOwner(db);
  return db
    .with(owner, ...placement(db, sql`owner`))
    .select(outcome)
    .from(owner)
    .prepare("place_order");
}

/**
 * Takes the key first. Whoever comes second with it waits until the first has committed and places
 * nothing, or finds that the first failed and takes its place.
 */
function placeOnce(db: Db) {
  const owner = livingOwner(db);
  const { requestHash, answer, createdAt } = idempotencyKeys;
  const excluded = (column: Column) => sql`excluded.${sql.identifier(column.name)}`;
  const key = db.$with("taken").as(
    db
      .insert(idempotencyKeys)
      .select(sql`select ${row(idempotencyKeys, "key")} from owner`)
      .onConflictDoUpdate({
        target: [idempotencyKeys.userId, idempotencyKeys.key],
        set: {
          requestHash: excluded(requestHash),
          answer: excluded(answer),
          createdAt: excluded(createdAt),
        },
        setWhere: lt(createdAt, given(createdAt, "keptSince")),
      })
      .returning({ key: idempotencyKeys.key }),
  );
  return db
    .with(owner, key, ...placement(db, sql`taken`))
    .select(outcome)
    .from(owner)
    .prepare("place_order_once");
}

function answer(db: Db) {
  return db
    .select()
    .from(idempotencyKeys)
    .where(
      and(
        eq(idempotencyKeys.userId, given(idempotencyKeys.userId)),
        eq(idempotencyKeys.key, given(idempotencyKeys.key)),
      ),
    )
    .prepare("find_answer");
}

/** Changes the order only if nobody else has since, and writes the history with it. */
function changeStatus(db: Db) {
  const changed = db.$with("changed").as(
    db
      .update(orders)
      .set({
        status: given(orders.status, "to"),
        version: sql`${orders.version} + 1`,
        updatedAt: given(orders.updatedAt, "at"),
      })
      .where(
        and(
          eq(orders.id, given(orders.id, "id")),
          eq(orders.version, given(orders.version, "version")),
        ),
      )
      .returning(),
  );
  const event = db.$with("event").as(
    db
      .insert(orderEvents)
      .select(
        sql`select id, version, ${given(orderEvents.actorId, "actorId")},
          ${given(orderEvents.fromStatus, "from")}, status,
          ${given(orderEvents.reason, "reason")}, updated_at from changed`,
      )
      .returning({ orderId: orderEvents.orderId }),
  );
  const change = noteChanges(db, "changed", sql`changed`, orderNow);
  return db.with(changed, event, change).select().from(changed).prepare("change_order_status");
}

/**
 * The order is locked before it is deleted, and with that the transaction has its id: should it have
 * to wait for a change under way, its own place among the changes is behind that one.
 */
function remove(db: Db) {
  const owner = given(orders.userId, "ownerId");
  const found = db
    .select({ id: orders.id })
    .from(orders)
    .where(
      and(
        eq(orders.id, given(orders.id, "id")),
        sql`(${owner} is null or ${orders.userId} = ${owner})`,
      ),
    )
    .for("update");
  const [removed, change] = removal(db, found);
  return db.with(removed, change).select({ id: removed.id }).from(removed).prepare("remove_order");
}

/** Deletes orders that are already locked, and tells those who watch. */
function removal(db: Db, found: SQLWrapper) {
  const removed = db
    .$with("removed")
    .as(
      db
        .delete(orders)
        .where(sql`${orders.id} = any(array(${found}))`)
        .returning({ id: orders.id, userId: orders.userId }),
    );
  return [removed, noteChanges(db, "deleted", sql`removed`)] as const;
}

function events(db: Db) {
  return db
    .select()
    .from(orderEvents)
    .where(eq(orderEvents.orderId, given(orderEvents.orderId, "orderId")))
    .orderBy(asc(orderEvents.version))
    .prepare("list_order_events");
}

/** Waits for orders that are just being placed; none begins afterwards. */
function purge(db: Db) {
  return db
    .insert(owners)
    .values({ userId: given(owners.userId), purgedAt: given(owners.purgedAt) })
    .onConflictDoUpdate({
      target: owners.userId,
      set: { purgedAt: sql`coalesce(${owners.purgedAt}, excluded.purged_at)` },
    })
    .prepare("purge_owner");
}

function removeBatch(db: Db) {
  const batch = db
    .select({ id: orders.id })
    .from(orders)
    .where(eq(orders.userId, given(orders.userId)))
    .orderBy(asc(orders.id))
    .limit(sql.placeholder("limit"))
    .for("update");
  const [removed, change] = removal(db, batch);
  const count = sql<number>`count(*)::int`;
  return db.with(removed, change).select({ count }).from(removed).prepare("remove_batch");
}

function forgetKeysOfUser(db: Db) {
  return db
    .delete(idempotencyKeys)
    .where(eq(idempotencyKeys.userId, given(idempotencyKeys.userId)))
    .prepare("forget_keys_of_user");
}

function forgetKeysBatch(db: Db) {
  const { userId, key, createdAt } = idempotencyKeys;
  const batch = db
    .select({ userId, key })
    .from(idempotencyKeys)
    .where(lt(createdAt, given(createdAt, "keptSince")))
    .orderBy(asc(createdAt))
    .limit(sql.placeholder("limit"))
    .for("update", { skipLocked: true });
  return db
    .delete(idempotencyKeys)
    .where(sql`(${userId}, ${key}) in (${batch})`)
    .prepare("forget_keys_batch");
}
