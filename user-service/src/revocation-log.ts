import { and, asc, gt, inArray, isNotNull, isNull, lt, sql } from "@3l1/kit/stores/drizzle.ts";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { revocations } from "./schema.ts";
import type { RevocationRecord } from "./store.ts";

export type RevocationLog = ReturnType<typeof createRevocationLog>;

/** What was revoked lately, in PostgreSQL, for as long as a token of before could be valid. */
export function createRevocationLog(db: PostgresJsDatabase) {
  const columns = {
    id: revocations.id,
    userId: revocations.userId,
    sessionId: revocations.sessionId,
    epoch: revocations.epoch,
  };
  const unpublished = db
    .select(columns)
    .from(revocations)
    .where(
      and(
        isNull(revocations.publishedAt),
        lt(revocations.createdAt, sql`now() - ${sql.placeholder("age")}::interval`),
      ),
    )
    .orderBy(asc(revocations.createdAt))
    .limit(sql.placeholder("limit"))
    .prepare("revocation_unpublished");

  return {
    async markPublished(ids: readonly string[]): Promise<void> {
      const set = { publishedAt: sql`now()` };
      await db
        .update(revocations)
        .set(set)
        .where(inArray(revocations.id, [...ids]));
    },

    /** What Redis has not been told, the oldest first. @param ageMs only what is older */
    async unpublished(ageMs: number, limit: number): Promise<RevocationRecord[]> {
      return unpublished.execute({ age: `${ageMs} milliseconds`, limit });
    },

    /** What was published lately, page by page, for a Redis that may have forgotten it. */
    async published(after: string, limit: number): Promise<RevocationRecord[]> {
      return db
        .select(columns)
        .from(revocations)
        .where(and(isNotNull(revocations.publishedAt), gt(revocations.id, after)))
        .orderBy(asc(revocations.id))
        .limit(limit);
    },

    /** Forgets what was published and revokes nothing any more. */
    async forget(olderThanMs: number): Promise<void> {
      await db
        .delete(revocations)
        .where(
          and(
            isNotNull(revocations.publishedAt),
            lt(revocations.createdAt, sql`now() - ${`${olderThanMs} milliseconds`}::interval`),
          ),
        );
    },
  };
}
