import { and, desc, eq, inArray, isNotNull, sql } from "@3l1/kit/stores/drizzle.ts";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { signingKeys } from "./schema.ts";

/** A key as PostgreSQL has it. */
export type SigningKeyRow = typeof signingKeys.$inferSelect;

/** Held while keys are made or taken out of use. Any number no other lock of the database has. */
const signingKeysLock = 3_115_003;

export type SigningKeyStore = ReturnType<typeof createSigningKeyStore>;

/** The signing keys in PostgreSQL, the latest first. */
export function createSigningKeyStore(db: PostgresJsDatabase) {
  return {
    async all(): Promise<SigningKeyRow[]> {
      return db.select().from(signingKeys).orderBy(desc(signingKeys.signsFrom));
    },

    /**
     * Lets `decide` look at all keys and say what to add, while nobody else does. Nothing is added
     * when it returns nothing.
     */
    async add(
      decide: (
        keys: readonly SigningKeyRow[],
      ) => Promise<Omit<SigningKeyRow, "createdAt"> | undefined>,
    ): Promise<void> {
      await db.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(${signingKeysLock})`);
        const keys = await tx.select().from(signingKeys).orderBy(desc(signingKeys.signsFrom));
        const key = await decide(keys);
        if (key !== undefined) await tx.insert(signingKeys).values(key);
      });
    },

    /** Replaces a sealed private key, unless somebody else has. */
    async reseal(id: string, from: Uint8Array, to: Uint8Array): Promise<void> {
      await db
        .update(signingKeys)
        .set({ sealedPrivateKey: to })
        .where(and(eq(signingKeys.id, id), eq(signingKeys.sealedPrivateKey, from)));
    },

    /** Forgets the private halves of keys that sign no more. */
    async erasePrivate(ids: readonly string[]): Promise<void> {
      await db
        .update(signingKeys)
        .set({ sealedPrivateKey: null })
        .where(and(inArray(signingKeys.id, [...ids]), isNotNull(signingKeys.sealedPrivateKey)));
    },

    async remove(ids: readonly string[]): Promise<void> {
      await db.delete(signingKeys).where(inArray(signingKeys.id, [...ids]));
    },
  };
}
