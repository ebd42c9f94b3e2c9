import {
  formatRevocation,
  type Revocation,
  type Revocations,
  revocationStream,
} from "@3l1/kit/auth/revocations.ts";
import { briefError } from "@3l1/kit/logged-error.ts";
import type { Logger } from "@3l1/kit/logger.ts";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { revocationMarginMs } from "./limits.ts";
import type { RevocationLog } from "./revocation-log.ts";
import type { SessionStore } from "./session-store.ts";
import type { RevocationRecord } from "./store.ts";

export interface RevokerOptions {
  readonly redis: RedisClient;
  readonly sessions: SessionStore;
  readonly log: RevocationLog;
  /** This process's own deny-set. */
  readonly revocations: Revocations;
  readonly tokenTtlMs: number;
  readonly logger: Logger;
  readonly now: () => number;
}

/** Carries a revocation that PostgreSQL has to Redis and to every process. */
export interface Revoker {
  /**
   * Ends the sessions and tells everybody. Never fails: what could not be told, the relay tells as
   * soon as it can.
   *
   * @returns what was revoked, for the metadata of the answer
   */
  publish(record: RevocationRecord): Promise<string>;
  /** Tells Redis again, at once for all. Doing it twice does no harm. */
  relay(records: readonly RevocationRecord[]): Promise<void>;
}

export function createRevoker(options: RevokerOptions): Revoker {
  const { redis, sessions, log, revocations, tokenTtlMs, logger, now } = options;
  const windowMs = tokenTtlMs + revocationMarginMs;

  async function tell({ userId, sessionId, epoch }: RevocationRecord, text: string) {
    if (sessionId === null) await sessions.revokeUser(userId, epoch ?? 0);
    else await sessions.revokeSession(userId, sessionId);
    // Entries older than the window revoke nothing any more. The clock of Redis may differ from ours.
    const oldest = `${now() - windowMs - revocationMarginMs}-0`;
    const trim = ["MINID", "~", oldest] as const;
    await redis.xadd(revocationStream, ...trim, "*", "revocation", text);
  }
  function toRevocation({ userId, sessionId, epoch }: RevocationRecord): Revocation {
    const untilMs = now() + windowMs;
    return sessionId === null
      ? { userId, epoch: epoch ?? 0, untilMs }
      : { userId, sessionId, untilMs };
  }

  return {
    async publish(record) {
      const revocation = toRevocation(record);
      revocations.apply(revocation);
      const text = formatRevocation(revocation);
      try {
        await tell(record, text);
        await log.markPublished([record.id]);
      } catch (error) {
        const { userId, sessionId } = record;
        logger.warn(
          { err: briefError(error), userId, sessionId },
          "revocation is left to the relay",
        );
      }
      return text;
    },
    async relay(records) {
      if (records.length === 0) return;
      await Promise.all(
        records.map((record) => tell(record, formatRevocation(toRevocation(record)))),
      );
      await log.markPublished(records.map(({ id }) => id));
    },
  };
}
