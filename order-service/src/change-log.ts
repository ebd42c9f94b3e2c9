import { OrderSchema } from "@3l1/gen/order/v1/order_pb.ts";
import {
  type WatchOrdersResponse,
  WatchOrdersResponseSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { create, fromBinary } from "@bufbuild/protobuf";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { beginning, formatPosition, isAfter, laterOf, type Position } from "./change-position.ts";
import { prepareChangeStatements } from "./change-statements.ts";
import type { orderChanges } from "./schema.ts";

type ChangeRow = Omit<typeof orderChanges.$inferSelect, "createdAt">;

/** A change of somebody's order. */
export interface Change {
  readonly position: Position;
  /** Whose order. */
  readonly userId: string;
  /** What those who watch are told. Made when it is asked for, since most changes nobody watches. */
  message(): WatchOrdersResponse;
}

/** What was found behind a position. */
export interface ChangePage {
  /** The changes, in their order, up to the first one that another might still come before. */
  readonly changes: readonly Change[];
  /** When the first change was made that has to wait for a transaction under way. */
  readonly waitingSince: Date | undefined;
  /** There may be more. */
  readonly isFull: boolean;
}

/** Which changes may be forgotten. */
export interface Retention {
  /** Those older than this, in milliseconds. */
  readonly keptMs: number;
  /** And all but so many of the newest. */
  readonly keptRows: number;
  /** Rows removed in one statement. */
  readonly batch: number;
}

/** Some changes are gone that somebody would have had to hear of. */
export class ChangesForgotten extends Error {
  override name = "ChangesForgotten";
}

/** The changes of orders in the order in which they count, in PostgreSQL. */
export type ChangeLog = ReturnType<typeof createChangeLog>;

export function createChangeLog(db: PostgresJsDatabase) {
  const statements = prepareChangeStatements(db);

  async function forgotten(): Promise<Position> {
    const [found] = await statements.forgotten.execute();
    return found ?? beginning;
  }
  /** To be asked after the changes behind a position were read: what is gone, was gone before or not read. */
  async function requireAllAfter(position: Position): Promise<void> {
    if (isAfter(await forgotten(), position)) throw new ChangesForgotten();
  }

  return {
    /** Tells all copies of the service that there are changes. */
    async tell(): Promise<void> {
      await statements.tell.execute();
    },

    /** The last change so far that nothing can come before any more. */
    async last(): Promise<Position> {
      const [found] = await statements.last.execute();
      return laterOf(found ?? beginning, await forgotten());
    },

    /**
     * Everybody's changes behind a position.
     *
     * @throws ChangesForgotten when some of them are gone already
     */
    async after(position: Position, limit: number): Promise<ChangePage> {
      const rows = await statements.after.execute({ ...placed("after", position), limit });
      await requireAllAfter(position);
      const end = rows.findIndex(({ isSettled }) => !isSettled);
      const changes = (end < 0 ? rows : rows.slice(0, end)).map(toChange);
      return { changes, waitingSince: rows[end]?.createdAt, isFull: changes.length === limit };
    },

    /**
     * A user's changes between two positions, the first one excluded, in pages.
     *
     * @throws ChangesForgotten when some of them are gone already
     */
    async *ofUser(userId: string, after: Position, upTo: Position, limit: number) {
      let position = after;
      while (isAfter(upTo, position)) {
        const values = { ...placed("after", position), ...placed("upTo", upTo), limit };
        const rows = await statements.ofUser.execute({ ...values, user_id: userId });
        await requireAllAfter(position);
        yield rows.map(toChange);
        position = rows.length === limit ? (rows.at(-1) ?? upTo) : upTo;
      }
    },

    /** Whether somebody can go on from a position: it was given out once, and all behind it is there. */
    async knows(position: Position): Promise<boolean> {
      const [found] = await statements.at.execute(placed("at", position));
      if (found !== undefined) return true;
      const { tx, id } = await forgotten();
      return tx === position.tx && id === position.id;
    },

    /** Forgets some of the changes that need not be kept, and says how many. */
    async forgetBatch({ keptMs, keptRows, batch }: Retention): Promise<number> {
      const [beyond = beginning] = await statements.beyond.execute({ rows: keptRows });
      const values = { ...placed("upTo", beyond), keptMs, limit: batch };
      return (await statements.forget.execute(values))[0]?.count ?? 0;
    },
  };
}

/** Forgets all changes that need not be kept, in small steps. */
export async function forgetOldChanges(
  log: ChangeLog,
  retention: Retention,
  signal: AbortSignal,
): Promise<void> {
  let removed = retention.batch;
  while (removed === retention.batch && !signal.aborted) removed = await log.forgetBatch(retention);
}

function placed(name: string, { tx, id }: Position): Record<string, unknown> {
  return { [`${name}.tx`]: tx, [`${name}.id`]: id };
}

function toChange(row: ChangeRow): Change {
  let message: WatchOrdersResponse | undefined;
  return {
    position: { tx: row.tx, id: row.id },
    userId: row.userId,
    message: () => (message ??= toMessage(row)),
  };
}

function toMessage({ kind, order, orderId, ...position }: ChangeRow): WatchOrdersResponse {
  const eventId = formatPosition(position);
  if (kind === "deleted" || order === null)
    return create(WatchOrdersResponseSchema, {
      eventId,
      event: { case: "deletedId", value: orderId },
    });
  const value = fromBinary(OrderSchema, order);
  return create(WatchOrdersResponseSchema, { eventId, event: { case: kind, value } });
}
