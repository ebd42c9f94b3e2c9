import { and, asc, desc, eq, gt, isNotNull, lte, sql } from "@3l1/kit/stores/drizzle.ts";
import type { SQL } from "drizzle-orm";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { orderChangeKind, orderChanges, orderChangesForgotten } from "./schema.ts";
import { given } from "./sql-parts.ts";

type Db = PostgresJsDatabase;
type Kind = (typeof orderChangeKind.enumValues)[number];

const position = { tx: orderChanges.tx, id: orderChanges.id };
const place = sql`(${orderChanges.tx}, ${orderChanges.id})`;
const byPlace = [asc(orderChanges.tx), asc(orderChanges.id)];
const backwards = [desc(orderChanges.tx), desc(orderChanges.id)];
/** All transactions below this have ended, so nothing is added among their changes any more. */
const settled = sql`${orderChanges.tx} < pg_snapshot_xmin(pg_current_snapshot())`;

/** What is read of a change. */
const change = {
  ...position,
  userId: orderChanges.userId,
  orderId: orderChanges.orderId,
  kind: orderChanges.kind,
  order: orderChanges.order,
};

/** A position as parameters. */
function givenPlace(name: string): SQL {
  return sql`(${given(orderChanges.tx, `${name}.tx`)}, ${given(orderChanges.id, `${name}.id`)})`;
}

/**
 * A part of the statement that changes orders: writes down a change for each row of `source`, which
 * has `id` and `user_id` of the order.
 *
 * @param order the order after the change; default: it is gone
 */
export function noteChanges(db: Db, kind: Kind, source: SQL, order: SQL = sql`null::bytea`) {
  // Drizzle's own insert names all columns, and the id is PostgreSQL's to give.
  return db.$with("change", {}).as(
    sql`insert into ${orderChanges} (tx, user_id, order_id, kind, "order", created_at)
      select pg_current_xact_id(), user_id, id, ${sql.raw(`'${kind}'::${orderChangeKind.enumName}`)},
        ${order}, now() from ${source}`,
  );
}

/** The statements for those who watch, prepared by name. */
export function prepareChangeStatements(db: Db) {
  const newest = db
    .select(position)
    .from(orderChanges)
    .orderBy(...backwards);
  return {
    last: db
      .select(position)
      .from(orderChanges)
      .where(settled)
      .orderBy(...backwards)
      .limit(1)
      .prepare("last_change"),
    after: db
      .select({
        ...change,
        createdAt: orderChanges.createdAt,
        isSettled: sql<boolean>`${settled}`,
      })
      .from(orderChanges)
      .where(gt(place, givenPlace("after")))
      .orderBy(...byPlace)
      .limit(sql.placeholder("limit"))
      .prepare("changes_after"),
    ofUser: db
      .select(change)
      .from(orderChanges)
      .where(
        and(
          eq(orderChanges.userId, given(orderChanges.userId)),
          gt(place, givenPlace("after")),
          lte(place, givenPlace("upTo")),
        ),
      )
      .orderBy(asc(orderChanges.userId), ...byPlace)
      .limit(sql.placeholder("limit"))
      .prepare("changes_of_user"),
    at: db
      .select(position)
      .from(orderChanges)
      .where(eq(place, givenPlace("at")))
      .prepare("change_at"),
    forgotten: db
      .select({ tx: orderChangesForgotten.tx, id: orderChangesForgotten.id })
      .from(orderChangesForgotten)
      .prepare("changes_forgotten"),
    beyond: newest.offset(sql.placeholder("rows")).limit(1).prepare("change_beyond"),
    forget: forget(db),
    tell: db
      .select({ sent: sql<string>`pg_notify('order_changes', '')` })
      .from(sql`(values (1)) as once`)
      .prepare("tell_of_changes"),
  };
}

/**
 * Forgets some of the changes that are older than a time or not beyond a position, from the oldest on
 * and without a gap, and remembers up to where. Copies of the service may do so at once.
 */
function forget(db: Db) {
  const oldest = db
    .select({ ...position, createdAt: orderChanges.createdAt })
    .from(orderChanges)
    .where(settled)
    .orderBy(...byPlace)
    .limit(sql.placeholder("limit"))
    .for("update", { skipLocked: true });
  const isOld = sql`created_at < now() - ${sql.placeholder("keptMs")}::bigint * interval '1 ms'
    or (tx, id) <= ${givenPlace("upTo")}`;
  const old = db.$with("old").as(
    db
      .delete(orderChanges)
      .where(
        sql`${place} in (select tx, id from (
          select tx, id, bool_and(${isOld}) over (order by tx, id) as is_old from ${oldest} as oldest
        ) as marked where is_old)`,
      )
      .returning(position),
  );
  const { tx, id } = orderChangesForgotten;
  const noted = db.$with("noted").as(
    db
      .insert(orderChangesForgotten)
      .select(sql`select 1, tx, id from old order by tx desc, id desc limit 1`)
      .onConflictDoUpdate({
        target: orderChangesForgotten.one,
        set: { tx: sql`excluded.tx`, id: sql`excluded.id` },
        setWhere: sql`(${tx}, ${id}) < (excluded.tx, excluded.id)`,
      })
      .returning({ tx }),
  );
  const count = sql<number>`count(*)::int`;
  return db.with(old, noted).select({ count }).from(old).prepare("forget_changes");
}

/**
 * Takes the orders out of some of a user's changes. The changes stay in their places, since whoever
 * resumes needs all of them; without an order a change says that there is none any more.
 */
export function blankChanges(db: Db) {
  const batch = db
    .select(position)
    .from(orderChanges)
    .where(and(eq(orderChanges.userId, given(orderChanges.userId)), isNotNull(orderChanges.order)))
    .orderBy(asc(orderChanges.userId), ...byPlace)
    .limit(sql.placeholder("limit"))
    .for("update");
  const blanked = db
    .$with("blanked")
    .as(
      db
        .update(orderChanges)
        .set({ order: null })
        .where(sql`${place} in (${batch})`)
        .returning({ tx: orderChanges.tx }),
    );
  const count = sql<number>`count(*)::int`;
  return db.with(blanked).select({ count }).from(blanked).prepare("blank_changes");
}
