import { eq, inArray, sql } from "@3l1/kit/stores/drizzle.ts";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { purges } from "./schema.ts";

/** A deleted user whose orders are to be removed. */
export interface DuePurge {
  readonly userId: string;
  /** This one included. */
  readonly attempts: number;
  /** Trace context of the request that deleted the user. */
  readonly traceparent: string | null;
}

export type PurgeQueue = ReturnType<typeof createPurgeQueue>;

/** Deleted users whose orders are still there. The row is written where the user is deleted. */
export function createPurgeQueue(db: PostgresJsDatabase) {
  const dueIn = (ms: number) => sql`now() + ${`${ms} milliseconds`}::interval`;
  return {
    /** Takes what is due. Nobody else takes it before the lease is over. */
    async take(limit: number, leaseMs: number): Promise<DuePurge[]> {
      const due = db
        .select({ userId: purges.userId })
        .from(purges)
        .where(sql`${purges.dueAt} <= now()`)
        .orderBy(purges.dueAt)
        .limit(limit)
        .for("update", { skipLocked: true });
      return db
        .update(purges)
        .set({ dueAt: dueIn(leaseMs), attempts: sql`${purges.attempts} + 1` })
        .where(inArray(purges.userId, due))
        .returning({
          userId: purges.userId,
          attempts: purges.attempts,
          traceparent: purges.traceparent,
        });
    },

    /** Gives one back, to be taken again later. */
    async postpone(userId: string, ms: number): Promise<void> {
      await db
        .update(purges)
        .set({ dueAt: dueIn(ms) })
        .where(eq(purges.userId, userId));
    },

    async done(userId: string): Promise<void> {
      await db.delete(purges).where(eq(purges.userId, userId));
    },
  };
}
