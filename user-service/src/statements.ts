import { and, desc, eq, lt, sql } from "@3l1/kit/stores/drizzle.ts";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { revocations, users } from "./schema.ts";

/** The hot queries. Only under a name of its own does PostgreSQL plan a statement once and for all. */
export function prepareStatements(db: PostgresJsDatabase) {
  const { placeholder } = sql;
  const isRevoked = db
    .select({ one: sql`1` })
    .from(revocations)
    .where(
      and(
        eq(revocations.sessionId, placeholder("sessionId")),
        eq(revocations.userId, placeholder("userId")),
      ),
    );
  return {
    insert: db
      .insert(users)
      .values({
        id: placeholder("id"),
        name: placeholder("name"),
        email: placeholder("email"),
        passwordHash: placeholder("passwordHash"),
        role: placeholder("role"),
        createdAt: placeholder("createdAt"),
      })
      .onConflictDoNothing()
      .returning()
      .prepare("user_insert"),
    findById: db
      .select()
      .from(users)
      .where(eq(users.id, placeholder("id")))
      .prepare("user_find_by_id"),
    findByEmail: db
      .select()
      .from(users)
      .where(sql`lower(${users.email}) = lower(${placeholder("email")})`)
      .prepare("user_find_by_email"),
    standing: db
      .select({
        sessionEpoch: users.sessionEpoch,
        role: users.role,
        isRevoked: sql<boolean>`exists ${isRevoked}`,
      })
      .from(users)
      .where(eq(users.id, placeholder("userId")))
      .prepare("user_standing"),
    list: db
      .select()
      .from(users)
      .where(lt(users.id, placeholder("before")))
      .orderBy(desc(users.id))
      .limit(placeholder("limit"))
      .prepare("user_list"),
    rehash: db
      .update(users)
      .set({ passwordHash: sql`${placeholder("to")}` })
      .where(and(eq(users.id, placeholder("id")), eq(users.passwordHash, placeholder("from"))))
      .prepare("user_rehash"),
    revoke: db
      .insert(revocations)
      .values({
        id: placeholder("id"),
        userId: placeholder("userId"),
        sessionId: placeholder("sessionId"),
      })
      .prepare("revocation_insert"),
  };
}
