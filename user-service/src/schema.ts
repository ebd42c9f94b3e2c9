import {
  customType,
  index,
  integer,
  pgEnum,
  pgTable,
  sql,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "@3l1/kit/stores/drizzle.ts";

const instant = (name: string) => timestamp(name, { precision: 3, withTimezone: true });
const bytea = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });

/** What a user may do. */
export const userRole = pgEnum("user_role", ["user", "admin"]);

/** Accounts. Ids are UUIDv7, so that their order is the order of registration. */
export const users = pgTable(
  "users",
  {
    id: uuid("id").primaryKey(),
    name: text("name").notNull(),
    /** As it was typed. Compared without case. */
    email: text("email").notNull(),
    /** PHC string of argon2id, or a bcrypt hash brought from elsewhere until its owner logs in. */
    passwordHash: text("password_hash").notNull(),
    role: userRole("role").notNull(),
    /** Rises when all that was issued to the user so far is to die. Has the last word on any session. */
    sessionEpoch: integer("session_epoch").notNull().default(0),
    createdAt: instant("created_at").notNull(),
  },
  (table) => [
    uniqueIndex("users_by_email").on(sql`lower(${table.email})`),
    // Few rows: whoever deletes or demotes an administrator looks whether another one is left.
    index("users_admins").on(table.id).where(sql`${table.role} = 'admin'`),
  ],
);

/**
 * What was revoked lately, and whether Redis has been told. The row is written in the transaction
 * that decides, so that a revocation outlives the process, and Redis, that it was meant for.
 */
export const revocations = pgTable(
  "revocations",
  {
    id: uuid("id").primaryKey(),
    userId: uuid("user_id").notNull(),
    /** The session that ends. Null: all sessions of the user below `epoch` do. */
    sessionId: uuid("session_id"),
    epoch: integer("epoch"),
    createdAt: instant("created_at").notNull().defaultNow(),
    /** When Redis had it. Null: the relay still has to see to it. */
    publishedAt: instant("published_at"),
  },
  (table) => [
    index("revocations_of_session").on(table.sessionId, table.userId),
    index("revocations_unpublished").on(table.createdAt).where(sql`${table.publishedAt} is null`),
    index("revocations_by_age").on(table.createdAt),
  ],
);

/** Deleted users whose orders the order-service has yet to remove. */
export const purges = pgTable(
  "purges",
  {
    userId: uuid("user_id").primaryKey(),
    attempts: integer("attempts").notNull().default(0),
    /** Not before. Whoever takes a row moves it ahead, so that no other copy takes it too. */
    dueAt: instant("due_at").notNull().defaultNow(),
    /** W3C trace context of the request that deleted the user: the purge is part of its trace. */
    traceparent: text("traceparent"),
  },
  (table) => [index("purges_by_due").on(table.dueAt)],
);

/** The Ed25519 keys that sign access tokens: the one to come, the one in use, those before. */
export const signingKeys = pgTable("signing_keys", {
  /** RFC 7638 thumbprint. */
  id: text("id").primaryKey(),
  publicKey: bytea("public_key").notNull(),
  /** PKCS #8, sealed with a key derived from SECRET_KEYS. Null once the key has long stopped signing. */
  sealedPrivateKey: bytea("sealed_private_key"),
  createdAt: instant("created_at").notNull().defaultNow(),
  /** It signs from then until the next one does. */
  signsFrom: instant("signs_from").notNull(),
});
