import { briefError } from "../logged-error.ts";
import type { Logger } from "../logger.ts";
import { anotherConnection, type RedisClient } from "../stores/redis.ts";
import type { Caller } from "./caller.ts";

/** The Redis stream that tells every process what was revoked. Its entries have one field, `revocation`. */
export const revocationStream = "auth:rev";

/** Longest wait for news in one call. An answer, empty or not, proves that the stream can be read. */
const blockMs = 1_000;
/** A call that takes longer is lost. `openRedis` has given its connection up before. */
const commandTimeoutMs = 3_000;
const batchSize = 1_000;
const retryAfterMs = 100;
const sweepEveryMs = 10_000;

/** Access tokens that are refused before they expire. */
export type Revocation = {
  /** Whose tokens. */
  readonly userId: string;
  /** Until when such tokens could still be valid, in milliseconds since 1970. */
  readonly untilMs: number;
} & (
  | { /** Those of this session. */ readonly sessionId: string }
  | { /** Those of an epoch below this one. */ readonly epoch: number }
);

/** One line of text, for the stream and for the metadata `revocation`. */
export function formatRevocation(revocation: Revocation): string {
  const { userId, untilMs } = revocation;
  return "epoch" in revocation
    ? `user ${userId} ${revocation.epoch} ${untilMs}`
    : `session ${userId} ${revocation.sessionId} ${untilMs}`;
}

/** `undefined` for what {@link formatRevocation} did not make. */
export function parseRevocation(text: string): Revocation | undefined {
  const [kind, userId = "", which = "", until = ""] = text.split(" ");
  const untilMs = Number(until);
  if (!userId || !which || !until || !Number.isSafeInteger(untilMs)) return undefined;
  if (kind === "session") return { userId, sessionId: which, untilMs };
  const epoch = Number(which);
  return kind === "user" && Number.isSafeInteger(epoch) ? { userId, epoch, untilMs } : undefined;
}

/** The deny-set: tokens that were revoked and have not expired yet. */
export interface Revocations {
  /** Whether a genuine token was revoked. Two look-ups in memory. */
  isRevoked(caller: Caller): boolean;
  /** Takes in what is known already, ahead of the stream. */
  apply(revocation: Revocation): void;
  /** Waits until the whole stream was read once, at most `timeoutMs`. */
  ready(timeoutMs: number): Promise<boolean>;
  /** Sessions and users whose tokens are refused for now. */
  inForce(): number;
  /** For how long nothing was heard from the stream, in milliseconds; infinite before the first time. */
  silentMs(): number;
  close(): void;
}

export interface RevocationsOptions {
  /** Its settings are used for a connection of its own, since reading blocks. */
  readonly redis: RedisClient;
  readonly logger: Logger;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  readonly monotonicNow?: () => number;
}

/**
 * Follows the stream of revocations. It is read from its start whenever the connection is new, so
 * nothing is missed over a reconnect, a failover or a restart. Memory is bounded by what is revoked
 * in the life of a token.
 */
export function createRevocations(options: RevocationsOptions): Revocations {
  const { redis, logger, now, monotonicNow = () => performance.now() } = options;
  const denied = createDenySet(now);
  const connection = anotherConnection(redis, commandTimeoutMs);
  connection.on("error", () => {});
  const firstRead = Promise.withResolvers<void>();
  let heardAt = Number.NEGATIVE_INFINITY;
  let closed = false;
  let failing = false;

  function take(entries: readonly StreamEntry[]): void {
    heardAt = monotonicNow();
    for (const [id, [, text = ""]] of entries) {
      const revocation = parseRevocation(text);
      if (revocation === undefined) logger.warn({ id }, "revocation not understood");
      else denied.add(revocation);
    }
  }

  async function readFromStart(): Promise<void> {
    let last = await drain(connection, "0-0", take);
    firstRead.resolve();
    if (failing) logger.info("revocations are followed again");
    failing = false;
    while (!closed) {
      const entries = await read(connection, last, blockMs);
      take(entries);
      last = entries.at(-1)?.[0] ?? last;
      denied.sweep();
    }
  }

  async function follow(): Promise<void> {
    while (!closed) {
      if (connection.status === "ready")
        await readFromStart().catch((error: unknown) => {
          if (!closed && !failing)
            logger.warn({ err: briefError(error) }, "revocations cannot be followed");
          failing = true;
        });
      if (!closed) await pause(retryAfterMs);
    }
  }

  void follow();
  return {
    isRevoked: denied.has,
    apply: denied.add,
    inForce: denied.size,
    ready: (timeoutMs) => within(firstRead.promise, timeoutMs),
    silentMs: () => monotonicNow() - heardAt,
    close() {
      closed = true;
      connection.disconnect();
    },
  };
}

type StreamEntry = [id: string, fields: string[]];

async function drain(
  redis: RedisClient,
  from: string,
  take: (entries: readonly StreamEntry[]) => void,
): Promise<string> {
  let last = from;
  for (;;) {
    const entries = await read(redis, last);
    take(entries);
    last = entries.at(-1)?.[0] ?? last;
    if (entries.length < batchSize) return last;
  }
}

async function read(redis: RedisClient, after: string, waitMs?: number): Promise<StreamEntry[]> {
  const streams = ["STREAMS", revocationStream, after] as const;
  const reply = await (waitMs === undefined
    ? redis.xread("COUNT", batchSize, ...streams)
    : redis.xread("COUNT", batchSize, "BLOCK", waitMs, ...streams));
  return reply?.[0]?.[1] ?? [];
}

function createDenySet(now: () => number) {
  const sessions = new Map<string, number>();
  const users = new Map<string, { epoch: number; untilMs: number }>();
  let sweptAt = now();
  // With the user's id, so that nobody can revoke another's session by naming it.
  const sessionKey = (userId: string, sessionId: string) => `${userId} ${sessionId}`;
  return {
    has: ({ userId, sessionId, epoch }: Caller): boolean =>
      (users.get(userId)?.epoch ?? 0) > epoch || sessions.has(sessionKey(userId, sessionId)),
    add(revocation: Revocation): void {
      const { userId, untilMs } = revocation;
      if (untilMs <= now()) return;
      if ("sessionId" in revocation)
        sessions.set(sessionKey(userId, revocation.sessionId), untilMs);
      else if (revocation.epoch >= (users.get(userId)?.epoch ?? 0))
        users.set(userId, { epoch: revocation.epoch, untilMs });
    },
    size: () => sessions.size + users.size,
    sweep(): void {
      if (now() - sweptAt < sweepEveryMs) return;
      sweptAt = now();
      for (const [key, untilMs] of sessions) if (untilMs <= now()) sessions.delete(key);
      for (const [key, { untilMs }] of users) if (untilMs <= now()) users.delete(key);
    },
  };
}

async function within(promise: Promise<void>, timeoutMs: number): Promise<boolean> {
  const timeout = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => timeout.resolve(false), timeoutMs);
  try {
    return await Promise.race([promise.then(() => true), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
