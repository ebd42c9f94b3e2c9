import type { Caller } from "@3l1/kit/auth/caller.ts";
import { runPeriodically } from "@3l1/kit/periodic.ts";
import type { ProcessContext } from "@3l1/kit/process.ts";
import { followNotices } from "@3l1/kit/stores/notices.ts";
import type { PostgresJsDatabase } from "drizzle-orm/postgres-js";
import { createChangeFeed } from "./change-feed.ts";
import { type ChangeLog, createChangeLog, forgetOldChanges } from "./change-log.ts";
import { createNotice } from "./change-notice.ts";
import type { Settings } from "./config.ts";
import * as limits from "./limits.ts";
import { createWatch, word } from "./watch.ts";
import { registerWatchMetrics } from "./watch-metrics.ts";
import { Watchers } from "./watchers.ts";

type Context = ProcessContext<Settings>;

/** What the rest of the service needs of it. */
export interface Watching {
  /** The handler of WatchOrders. */
  readonly watchOrders: ReturnType<typeof createWatch>;
  /** To be called after each commit that changed orders. */
  readonly onChange: () => void;
}

/**
 * Puts together what tells people of changes: changes are written with the orders, noticed after the
 * commit, read once a process, and handed to all who watch.
 */
export function startWatching(
  context: Context,
  db: PostgresJsDatabase,
  isRevoked: (caller: Caller) => boolean,
  now: () => number,
): Watching {
  const { registry, shutdown } = context;
  const log = createChangeLog(db);
  const metrics = registerWatchMetrics(registry, {
    watchers: () => watchers.count,
    lagMs: () => feed.lagMs(),
  });
  const watchers: Watchers = new Watchers({
    isRevoked,
    metrics,
    now,
    maxPerUser: limits.watchersPerUser,
    maxPerProcess: limits.watchersPerProcess,
    maxWaiting: limits.changesPerReader,
  });
  const feed = startFeed(context, log, watchers, now);
  sweepChanges(context, log);
  const tokens = setInterval(() => watchers.checkTokens(), limits.tokenCheckMs).unref();
  shutdown.defer("token checks of streams", () => clearInterval(tokens));
  const { heartbeatMs } = limits;
  return {
    watchOrders: createWatch({ log, feed, watchers, metrics, heartbeatMs }),
    onChange: createNotice(log.tell, limits.noticePauseMs),
  };
}

function startFeed(
  { config, logger, shutdown }: Context,
  log: ChangeLog,
  watchers: Watchers,
  now: () => number,
) {
  const audience = {
    get count() {
      return watchers.count;
    },
    tell: (change) => watchers.tell(change.userId, change),
    reset: (position) => watchers.tellAll({ position, message: () => word("reset", position) }),
  } satisfies Parameters<typeof createChangeFeed>[0]["audience"];
  const feed = createChangeFeed({ log, audience, logger, now });
  shutdown.defer("feed of changes", feed.stop);
  const notices = followNotices({
    url: config.ORDER_DATABASE_DIRECT_URL ?? config.ORDER_DATABASE_URL,
    channel: "order_changes",
    applicationName: "order-service notices",
    onNotice: feed.wake,
    logger,
  });
  shutdown.defer("notices of changes", notices.close);
  return feed;
}

function sweepChanges({ logger, shutdown }: Context, log: ChangeLog): void {
  const name = "sweep of the changes of orders";
  const retention = {
    keptMs: limits.changesKeptMs,
    keptRows: limits.changesKeptRows,
    batch: limits.removalBatch,
  };
  const run = () => forgetOldChanges(log, retention, shutdown.signal);
  const sweeping = runPeriodically({ name, everyMs: limits.changeSweepEveryMs, run, logger });
  shutdown.defer(name, sweeping.stop);
}
