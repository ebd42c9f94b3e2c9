import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import { type JWTHeaderParameters, type JWTPayload, SignJWT } from "jose";
import postgres from "postgres";
import type { Platform } from "../../dev/own-platform.ts";
import { makeSessionKey, openSigningKey } from "./forge.ts";

const dayMs = 24 * 60 * 60 * 1000;

/** Somebody with an account and an open session. */
export interface Seeded {
  readonly id: string;
  readonly email: string;
  readonly sessionId: string;
  readonly cookie: string;
}

/**
 * What only the user-service could do: hundreds of accounts and sessions without hashing a password
 * for each, and tokens that are wrong in just one thing.
 */
export interface Inside {
  /** Accounts, each with a session. @param from whose password they have; default: one nobody knows */
  seed(count: number, from?: string): Promise<Seeded[]>;
  /** A field of a session in Redis; null when the session is gone. */
  sessionField(userId: string, sessionId: string, field: string): Promise<string | null>;
  /** Ids of a user's sessions in Redis. */
  sessionsOf(userId: string): Promise<string[]>;
  /** Signs with the key that the platform signs with. */
  sign(payload: JWTPayload, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Has a key that was published sign from now on, as if its minute were over. */
  letSign(keyId: string): Promise<void>;
  /** The processes of PostgreSQL that serve the user-service now. */
  postgresPids(): Promise<number[]>;
  readonly redis: Redis;
  close(): Promise<void>;
}

export async function openInside(platform: Platform, secret: string): Promise<Inside> {
  const now = await platform.now();
  const url = now.postgres.url.replace(/\/postgres$/, "/user_service");
  const sql = postgres(url, { max: 2, onnotice: () => {} });
  const redis = new Redis(now.redis.url);
  redis.on("error", () => {});

  async function open(id: string, email: string): Promise<Seeded> {
    const sessionId = randomUUID();
    const at = Date.now();
    const times = { rotated: at, created: at, seen: at, ends: at + 30 * dayMs };
    const session = { ep: 0, gen: 0, confirmed: 0, device: "", ip: "", ...times };
    await redis.hset(`auth:s:{${id}}:${sessionId}`, session);
    await redis.zadd(`auth:u:{${id}}`, at, sessionId);
    const key = makeSessionKey(secret, { userId: id, sessionId, generation: 0 });
    return { id, email, sessionId, cookie: `session_key=${key}` };
  }

  return {
    redis,
    async seed(count, from) {
      const [row] = from ? await sql`select password_hash from users where id = ${from}` : [];
      const hash = row?.password_hash ?? "none";
      const users = Array.from({ length: count }, () => {
        const id = randomUUID();
        const created_at = new Date();
        const email = `${id}@example.com`;
        return { id, name: "Ann", email, password_hash: hash, role: "user", created_at };
      });
      await sql`insert into users ${sql(users)}`;
      return Promise.all(users.map(({ id, email }) => open(id, email)));
    },
    sessionField: (userId, sessionId, field) =>
      redis.hget(`auth:s:{${userId}}:${sessionId}`, field),
    sessionsOf: (userId) => redis.zrange(`auth:u:{${userId}}`, "0", "-1"),
    async sign(payload, header = {}) {
      const [row] = await sql`select id, sealed_private_key from signing_keys
        where signs_from <= now() order by signs_from desc limit 1`;
      return new SignJWT(payload)
        .setProtectedHeader({ alg: "EdDSA", typ: "at+jwt", kid: row?.id, ...header })
        .sign(openSigningKey(secret, row?.id, row?.sealed_private_key));
    },
    async letSign(keyId) {
      await sql`update signing_keys set signs_from = now() where id = ${keyId}`;
    },
    async postgresPids() {
      const rows = await sql`select pid from pg_stat_activity
        where datname = 'user_service' and application_name = 'user-service'`;
      return rows.map(({ pid }) => pid as number);
    },
    async close() {
      redis.disconnect();
      await sql.end({ timeout: 1 });
    },
  };
}
