import postgres, { type Sql } from "postgres";
import { briefError } from "../logged-error.ts";
import type { Logger } from "../logger.ts";

/** A database that is away is asked again so often. */
const retryAfterMs = 500;
const connectTimeoutSeconds = 3;

/** Settings of {@link followNotices}. */
export interface NoticesOptions {
  /** A direct connection: LISTEN does not work through a transaction pooler. */
  readonly url: string;
  /** What is listened to, a plain identifier. */
  readonly channel: string;
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Called for every notice, and whenever some may have been missed: on each new connection. */
  readonly onNotice: () => void;
  readonly logger: Logger;
}

/** What listens, until it is closed. */
export interface Notices {
  close(): Promise<void>;
}

/**
 * Listens to a channel of PostgreSQL's NOTIFY on a connection of its own, which is opened again
 * whenever it is lost. A notice is a hint, and may be lost: whoever relies on it looks by itself as well.
 */
export function followNotices(options: NoticesOptions): Notices {
  const { channel, onNotice, logger } = options;
  let lost = Promise.withResolvers<void>();
  const sql = open(options, () => lost.resolve());
  const closing = Promise.withResolvers<void>();
  let closed = false;
  let failing = false;

  async function listen(): Promise<void> {
    lost = Promise.withResolvers();
    await sql`listen ${sql(channel)}`;
    if (failing) logger.info({ channel }, "notices are heard again");
    failing = false;
    onNotice();
    await Promise.race([lost.promise, closing.promise]);
  }
  async function follow(): Promise<void> {
    while (!closed) {
      await listen().catch((error: unknown) => {
        if (!failing && !closed)
          logger.warn({ channel, err: briefError(error) }, "notices cannot be heard");
        failing = true;
      });
      if (!closed) await pause(retryAfterMs, closing.promise);
    }
  }

  const ended = follow();
  return {
    async close() {
      closed = true;
      closing.resolve();
      await sql.end({ timeout: 0 });
      await ended;
    },
  };
}

function open({ url, applicationName, onNotice }: NoticesOptions, onclose: () => void): Sql {
  // `onnotify` is what postgres.js' own `listen` is made of. That one gives up when it cannot connect.
  const settings = {
    max: 1,
    max_lifetime: null,
    connect_timeout: connectTimeoutSeconds,
    backoff: false,
    fetch_types: false,
    onnotice: () => {},
    connection: { application_name: applicationName },
    onclose,
    onnotify: onNotice,
  };
  return postgres(url, settings);
}

async function pause(ms: number, unless: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([promise, unless]);
  clearTimeout(timer);
}
