import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { redisScript } from "@3l1/kit/stores/redis-script.ts";
import { epochFloorMs, maxAbsentRevocations, maxSessionsPerUser } from "./limits.ts";
import type { SessionClaim } from "./session-key.ts";
import { sessionScripts } from "./session-scripts.ts";

/** How long sessions and their keys last, in milliseconds. */
export interface SessionTimes {
  readonly rotateAfterMs: number;
  readonly graceMs: number;
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** Where a session is used from, as far as it is known. */
export interface Client {
  /** User agent. */
  readonly device: string;
  /** IP address, or empty. */
  readonly ip: string;
}

/** A session to be. */
export interface NewSession {
  readonly userId: string;
  readonly sessionId: string;
  /** The user's epoch as it was when the credentials were checked. */
  readonly epoch: number;
  readonly client: Client;
}

/** What became of a new session. */
export type Creation =
  | {
      readonly outcome: "created";
      /** After that without use it ends. */
      readonly lifeMs: number;
      /** Sessions of the user that had to make room. */
      readonly evicted: readonly string[];
    }
  /** The user's epoch has risen since: somebody else decided that no session may come of it. */
  | { readonly outcome: "stale" };

/** What became of a session key that was shown. See `rotate` in session-scripts.ts for the rules. */
export type Rotation =
  | {
      /** `fresh`: the key goes on; `rotated`, `replayed`: the successor does. */
      readonly outcome: "fresh" | "rotated" | "replayed";
      /** The generation whose key opens the session from now on. */
      readonly generation: number;
      readonly lifeMs: number;
    }
  | { readonly outcome: "gone" | "killed" | "theft" };

/** A session as it is listed. */
export interface SessionInfo extends Client {
  readonly id: string;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
}

export type SessionStore = ReturnType<typeof createSessionStore>;

/** The sessions in Redis. Redis holds no key of a session, and no hash of one. */
export function createSessionStore(
  redis: RedisClient,
  times: SessionTimes,
  scripts = sessionScripts(),
) {
  const create = redisScript(redis, scripts.create);
  const rotate = redisScript(redis, scripts.rotate);
  const confirm = redisScript(redis, scripts.confirm);
  const revokeSession = redisScript(redis, scripts.revokeSession);
  const mayRevoke = redisScript(redis, scripts.mayRevoke);
  const revokeUser = redisScript(redis, scripts.revokeUser);
  const list = redisScript(redis, scripts.list);

  return {
    /** Opens a session, at generation 0. The user's oldest ones make room. */
    async create({ userId, sessionId, epoch, client }: NewSession): Promise<Creation> {
      const keys = [sessionAt(userId, sessionId), indexAt(userId), floorAt(userId)];
      const { idleMs, absoluteMs } = times;
      const limits = [idleMs, absoluteMs, maxSessionsPerUser, sessionAt(userId, "")];
      const args = [sessionId, epoch, ...limits, client.device, client.ip];
      const [outcome, lifeMs, ...evicted] = (await create(keys, args)) as CreateReply;
      return outcome === "created" ? { outcome, lifeMs, evicted } : { outcome };
    },

    /** Uses a session key whose HMAC holds. @param epoch the user's, as PostgreSQL has it now */
    async rotate(claim: SessionClaim, epoch: number, ip: string): Promise<Rotation> {
      const { userId, sessionId, generation } = claim;
      const keys = [sessionAt(userId, sessionId), indexAt(userId)];
      const { rotateAfterMs, graceMs, idleMs } = times;
      const args = [sessionId, generation, epoch, rotateAfterMs, graceMs, idleMs, ip];
      const reply = (await rotate(keys, args)) as RotateReply;
      if (reply.length === 1) return { outcome: reply[0] };
      return { outcome: reply[0], generation: reply[1], lifeMs: reply[2] };
    },

    /** Notes that a token of this generation was used. */
    async confirm({ userId, sessionId, generation }: SessionClaim): Promise<void> {
      await confirm([sessionAt(userId, sessionId)], [generation]);
    },

    /** Whether a session is there, and not from before the epoch. */
    async isOpen(userId: string, sessionId: string, epoch: number): Promise<boolean> {
      const opened = await redis.hget(sessionAt(userId, sessionId), "ep");
      return opened !== null && Number(opened) >= epoch;
    },

    async revokeSession(userId: string, sessionId: string): Promise<void> {
      await revokeSession([sessionAt(userId, sessionId), indexAt(userId)], [sessionId]);
    },

    /**
     * Whether a user may revoke a session by its id. One that is not here may have been: its tokens have
     * to die all the same. But a revocation is remembered by everybody, so that only few may be of
     * sessions that are not here.
     *
     * @param keptMs how long a revocation is remembered
     */
    async mayRevoke(userId: string, sessionId: string, keptMs: number): Promise<boolean> {
      const keys = [sessionAt(userId, sessionId), absentAt(userId)];
      return (await mayRevoke(keys, [maxAbsentRevocations, keptMs])) === 1;
    },

    /** Ends all sessions of a user below an epoch, and lets none below it be opened for a while. */
    async revokeUser(userId: string, epoch: number): Promise<void> {
      const args = [epoch, epochFloorMs, sessionAt(userId, "")];
      await revokeUser([indexAt(userId), floorAt(userId)], args);
    },

    /** A user's sessions, the latest first. */
    async list(userId: string): Promise<SessionInfo[]> {
      const rows = (await list([indexAt(userId)], [sessionAt(userId, "")])) as ListReply;
      return rows.map(([id, created, seen, device, ip]) => ({
        id,
        createdAt: new Date(Number(created)),
        lastSeenAt: new Date(Number(seen)),
        device,
        ip,
      }));
    },
  };
}

type CreateReply = ["created", number, ...string[]] | ["stale", never];
type RotateReply =
  | ["gone" | "killed" | "theft"]
  | ["fresh" | "rotated" | "replayed", number, number];
type ListReply = [id: string, created: string, seen: string, device: string, ip: string][];

// The braces keep what belongs to a user in one slot of a cluster.
const sessionAt = (userId: string, sessionId: string) => `auth:s:{${userId}}:${sessionId}`;
const indexAt = (userId: string) => `auth:u:{${userId}}`;
const floorAt = (userId: string) => `auth:e:{${userId}}`;
const absentAt = (userId: string) => `auth:a:{${userId}}`;
