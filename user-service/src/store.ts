import { and, eq, sql } from "@3l1/kit/stores/drizzle.ts";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { v7 as uuidv7 } from "uuid";
import { purges, revocations, users } from "./schema.ts";
import { prepareStatements } from "./statements.ts";

type UserRow = typeof users.$inferSelect;
type Transaction = Parameters<Parameters<PostgresJsDatabase["transaction"]>[0]>[0];

/** An account, with the hash of its password. Rows never leave this file otherwise. */
export interface Account {
  readonly id: string;
  readonly name: string;
  readonly email: string;
  readonly role: "user" | "admin";
  /** Rises when all that was issued to the user so far is to die. */
  readonly sessionEpoch: number;
  readonly passwordHash: string;
  readonly createdAt: Date;
}

/** What decides whether a session may go on. */
export interface Standing {
  readonly sessionEpoch: number;
  readonly role: Account["role"];
  /** The session itself was revoked lately. */
  readonly isRevoked: boolean;
}

/** Something that was revoked, and the row that remembers it until Redis knows. */
export interface RevocationRecord {
  readonly id: string;
  readonly userId: string;
  /** Null: all sessions of the user below `epoch`. */
  readonly sessionId: string | null;
  readonly epoch: number | null;
}

/** What became of a change to an account, or why there was none. */
export type Change =
  | {
      readonly outcome: "changed";
      readonly account: Account;
      readonly revocation: RevocationRecord;
    }
  | { readonly outcome: "unchanged"; readonly account: Account }
  | { readonly outcome: "not found" | "last admin" | "not allowed" };

/** Every user registered before it. */
const afterAllIds = "ffffffff-ffff-ffff-ffff-ffffffffffff";

export type Store = ReturnType<typeof createStore>;

/** Accounts and what was revoked, in PostgreSQL. */
export function createStore(db: PostgresJsDatabase) {
  const statements = prepareStatements(db);
  return {
    /** `undefined` when the e-mail has an account already. */
    async insert(account: Omit<Account, "sessionEpoch">): Promise<Account | undefined> {
      const [row] = await statements.insert.execute({ ...account });
      return row;
    },

    async findById(id: string): Promise<Account | undefined> {
      const [row] = await statements.findById.execute({ id });
      return row;
    },

    /** By the e-mail without case, which is what the throttle of logins takes for lower case as well. */
    async findByEmail(email: string): Promise<Account | undefined> {
      // PostgreSQL takes no NUL in a text, and no account has one.
      if (email.includes("\0")) return undefined;
      const [row] = await statements.findByEmail.execute({ email: email.toLowerCase() });
      return row;
    },

    /** `undefined` when the user is gone. */
    async standing(userId: string, sessionId: string): Promise<Standing | undefined> {
      const [row] = await statements.standing.execute({ userId, sessionId });
      return row;
    },

    /** The newest first. @param before only users registered before this one; default: all */
    async list(limit: number, before = afterAllIds): Promise<Account[]> {
      return statements.list.execute({ limit, before });
    },

    /** Replaces a hash by a better one of the same password. Does nothing if it has changed since. */
    async rehash(id: string, from: string, to: string): Promise<void> {
      await statements.rehash.execute({ id, from, to });
    },

    /** Sets a password and ends all sessions, unless the account has changed since it was read. */
    async changePassword({ id, passwordHash }: Account, newHash: string): Promise<Change> {
      return db.transaction(async (tx) => {
        const set = { passwordHash: newHash, sessionEpoch: sql`${users.sessionEpoch} + 1` };
        const unchanged = and(eq(users.id, id), eq(users.passwordHash, passwordHash));
        const [account] = await tx.update(users).set(set).where(unchanged).returning();
        if (account === undefined) return { outcome: "not found" };
        return { outcome: "changed", account, revocation: await revokeUser(tx, account) };
      });
    },

    /** Sets a role and ends all sessions. Leaves an administrator. */
    async changeRole(id: string, role: Account["role"]): Promise<Change> {
      return db.transaction(async (tx) => {
        const before = await lock(tx, id);
        if (before === undefined) return { outcome: "not found" };
        if (before.role === role) return { outcome: "unchanged", account: before };
        if (role === "user" && !(await anotherAdmin(tx, id))) return { outcome: "last admin" };
        const set = { role, sessionEpoch: sql`${users.sessionEpoch} + 1` };
        const [account] = await tx.update(users).set(set).where(eq(users.id, id)).returning();
        if (account === undefined) return { outcome: "not found" };
        return { outcome: "changed", account, revocation: await revokeUser(tx, account) };
      });
    },

    /**
     * Deletes an account, ends its sessions and has its orders purged. Leaves an administrator.
     *
     * @param traceparent trace context that the purge goes on in
     */
    async remove(id: string, byOneself: boolean, traceparent: string | null): Promise<Change> {
      return db.transaction(async (tx) => {
        const account = await lock(tx, id);
        if (account === undefined) return { outcome: "not found" };
        if (account.role === "admin" && !byOneself) return { outcome: "not allowed" };
        if (account.role === "admin" && !(await anotherAdmin(tx, id)))
          return { outcome: "last admin" };
        await tx.delete(users).where(eq(users.id, id));
        await tx.insert(purges).values({ userId: id, traceparent });
        const epoch = account.sessionEpoch + 1;
        const revocation = await revokeUser(tx, { ...account, sessionEpoch: epoch });
        return { outcome: "changed", account, revocation };
      });
    },

    /** Ends all sessions of a user. `undefined` when the user is gone. */
    async revokeAll(id: string): Promise<RevocationRecord | undefined> {
      return db.transaction(async (tx) => {
        const set = { sessionEpoch: sql`${users.sessionEpoch} + 1` };
        const [account] = await tx.update(users).set(set).where(eq(users.id, id)).returning();
        return account && revokeUser(tx, account);
      });
    },

    /** Ends one session. */
    async revokeSession(userId: string, sessionId: string): Promise<RevocationRecord> {
      const record = { id: uuidv7(), userId, sessionId, epoch: null };
      await statements.revoke.execute(record);
      return record;
    },

    /** Makes an administrator, if there is none yet and the e-mail is free. */
    async insertFirstAdmin(account: Omit<Account, "sessionEpoch" | "role">): Promise<boolean> {
      return db.transaction(async (tx) => {
        await tx.execute(sql`select pg_advisory_xact_lock(${firstAdminLock})`);
        const [admin] = await tx.select().from(users).where(eq(users.role, "admin")).limit(1);
        if (admin !== undefined) return false;
        const values = { ...account, role: "admin" as const };
        const made = await tx.insert(users).values(values).onConflictDoNothing().returning();
        return made.length > 0;
      });
    },

    async hasAdmin(): Promise<boolean> {
      const [admin] = await db.select().from(users).where(eq(users.role, "admin")).limit(1);
      return admin !== undefined;
    },
  };
}

/** Held while the first administrator is made. Any number no other lock of the database has. */
const firstAdminLock = 3_115_002;

async function lock(tx: Transaction, id: string): Promise<UserRow | undefined> {
  // Administrators are locked first and in one order: so two who leave at the same time wait for each
  // other instead of both seeing the other stay, and never in a circle.
  await tx
    .select({ id: users.id })
    .from(users)
    .where(eq(users.role, "admin"))
    .orderBy(users.id)
    .for("update");
  const [row] = await tx.select().from(users).where(eq(users.id, id)).for("update");
  return row;
}

async function anotherAdmin(tx: Transaction, id: string): Promise<boolean> {
  const other = and(eq(users.role, "admin"), sql`${users.id} <> ${id}`);
  return (await tx.select({ id: users.id }).from(users).where(other).limit(1)).length > 0;
}

async function revokeUser(tx: Transaction, account: UserRow): Promise<RevocationRecord> {
  const record = {
    id: uuidv7(),
    userId: account.id,
    sessionId: null,
    epoch: account.sessionEpoch,
  };
  await tx.insert(revocations).values(record);
  return record;
}
