import { and, asc, desc, eq, getTableColumns, lt, sql } from "@3l1/kit/stores/drizzle.ts";
import type { Column, SQL } from "drizzle-orm";
import type { PgTable } from "drizzle-orm/pg-core";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { idempotencyKeys, orderEvents, orders, owners } from "./schema.ts";

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
      .where(eq(orders.id, sql.placeholder("id")))
      .prepare("find_order"),
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
    forgetKeysOfUser: forgetKeysOfUser(db),
    forgetKeysBatch: forgetKeysBatch(db),
  };
}

/** A parameter with a column's type, in JavaScript and in SQL. */
function given(column: Column, name = column.name): SQL {
  return sql`${sql.param(sql.placeholder(name), column)}::${sql.raw(column.getSQLType())}`;
}

function list(items: readonly (Column | SQL)[]): SQL {
  return sql.join([...items], sql`, `);
}

/** All columns of a row to insert, as parameters that are called `prefix.key`. */
function row(table: PgTable, prefix: string): SQL {
  const columns = Object.entries(getTableColumns(table));
  return sql.join(
    columns.map(([key, column]) => given(column, `${prefix}.${key}`)),
    sql`, `,
  );
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

/** Order and first event, for each row of `source`. */
function placement(db: Db, source: SQL) {
  const order = db.$with("placed").as(
    db
      .insert(orders)
      .select(sql`select ${row(orders, "order")} from ${source}`)
      .returning({ id: orders.id }),
  );
  const event = db.$with("event").as(
    db
      .insert(orderEvents)
      .select(sql`select ${row(orderEvents, "event")} from placed`)
      .returning({ orderId: orderEvents.orderId }),
  );
  return [order, event] as const;
}

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
  const [order, event] = placement(db, sql`owner`);
  return db.with(owner, order, event).select(outcome).from(owner).prepare("place_order");
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
  const [order, event] = placement(db, sql`taken`);
  return db.with(owner, key, order, event).select(outcome).from(owner).prepare("place_order_once");
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
  return db.with(changed, event).select().from(changed).prepare("change_order_status");
}

function remove(db: Db) {
  const owner = given(orders.userId, "ownerId");
  return db
    .delete(orders)
    .where(
      and(
        eq(orders.id, given(orders.id, "id")),
        sql`(${owner} is null or ${orders.userId} = ${owner})`,
      ),
    )
    .returning({ id: orders.id })
    .prepare("remove_order");
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
  return db.delete(orders).where(sql`${orders.id} = any(array(${batch}))`).prepare("remove_batch");
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
