import {
  type WatchOrdersRequest,
  type WatchOrdersResponse,
  WatchOrdersResponseSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { callerOf } from "@3l1/kit/auth/caller.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { toConnectError } from "@3l1/kit/rpc/service-error.ts";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import type { ChangeFeed } from "./change-feed.ts";
import { type ChangeLog, ChangesForgotten } from "./change-log.ts";
import {
  formatPosition,
  isAfter,
  laterOf,
  type Position,
  parsePosition,
} from "./change-position.ts";
import { changesAtOnce } from "./limits.ts";
import type { WatchMetrics } from "./watch-metrics.ts";
import type { Watcher } from "./watcher.ts";
import type { Watchers } from "./watchers.ts";

type Stream = AsyncGenerator<WatchOrdersResponse>;
type Word = "heartbeat" | "reset";

export interface WatchOptions {
  readonly log: Pick<ChangeLog, "knows" | "last" | "ofUser">;
  readonly feed: Pick<ChangeFeed, "position">;
  readonly watchers: Pick<Watchers, "join" | "leave">;
  readonly metrics: Pick<WatchMetrics, "reset">;
  /** A sign of life after so long without news. */
  readonly heartbeatMs: number;
}

/** The handler of WatchOrders. */
export function createWatch(options: WatchOptions) {
  const { watchers, metrics } = options;
  return async function* watchOrders(
    { lastEventId }: WatchOrdersRequest,
    context: HandlerContext,
  ): Stream {
    const watcher = watchers.join(callerOf(context));
    const { signal } = context;
    const end = () => void watcher.end(endOf(signal));
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    try {
      for await (const message of follow(watcher, lastEventId, options)) {
        if (message.event.case === "reset") metrics.reset();
        yield message;
      }
    } catch (error) {
      throw toConnectError(error);
    } finally {
      signal.removeEventListener("abort", end);
      watchers.leave(watcher);
    }
  };
}

/**
 * First what the client has missed, from the database, up to where the feed is, then what the feed
 * brings. The watcher has joined before, so nothing falls between the two; a client that was told more
 * by another copy of the service skips what it knows.
 */
async function* follow(watcher: Watcher, lastEventId: string, options: WatchOptions): Stream {
  const { feed, log } = options;
  const start = await feed.position();
  const seen = lastEventId === "" ? undefined : await resumedFrom(lastEventId, options);
  // Who does not resume is told what happens from now on, and the feed may be a moment behind.
  const from = seen ?? laterOf(start, await log.last());
  const isLost = lastEventId !== "" && seen === undefined;
  yield word(isLost ? "reset" : "heartbeat", from);
  if (seen !== undefined) yield* missed(watcher, seen, start, options);
  yield* live(watcher, laterOf(from, start), options);
}

/** Where the client is; `undefined` when it cannot go on from there. */
async function resumedFrom(lastEventId: string, { log }: WatchOptions) {
  const position = parsePosition(lastEventId);
  return position && (await log.knows(position)) ? position : undefined;
}

async function* missed(
  watcher: Watcher,
  after: Position,
  upTo: Position,
  { log }: WatchOptions,
): Stream {
  try {
    for await (const changes of log.ofUser(watcher.caller.userId, after, upTo, changesAtOnce))
      for (const change of changes) {
        watcher.throwIfEnded();
        yield change.message();
      }
  } catch (error) {
    if (!(error instanceof ChangesForgotten)) throw error;
    yield word("reset", upTo);
  }
}

async function* live(
  watcher: Watcher,
  from: Position,
  { feed, heartbeatMs }: WatchOptions,
): Stream {
  let told = from;
  for (;;) {
    const news = await watcher.take(heartbeatMs);
    if (news.length === 0) {
      const position = await feed.position();
      // In this order: what is before the position was pushed before it, and has been taken by now.
      if (watcher.hasNews) continue;
      told = laterOf(told, position);
      yield word("heartbeat", told);
    }
    for (const { position, message } of news) {
      watcher.throwIfEnded();
      if (!isAfter(position, told)) continue;
      told = position;
      yield message();
    }
  }
}

/** A message that says nothing of an order. */
export function word(what: Word, position: Position): WatchOrdersResponse {
  const eventId = formatPosition(position);
  return create(WatchOrdersResponseSchema, { eventId, event: { case: what, value: true } });
}

/** Why a call is over. The server aborts it with a Connect error when the process ends. */
function endOf({ reason }: AbortSignal): ConnectError {
  if (!(reason instanceof ConnectError)) return new ConnectError("the client left", Code.Canceled);
  if (reason.code !== Code.Unavailable) return reason;
  return failure(Code.Unavailable, "the process is ending, connect again", Reason.DRAINING, 0);
}
