import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { Code, type ConnectError } from "@connectrpc/connect";
import type { WatchMetrics } from "./watch-metrics.ts";
import { type News, Watcher } from "./watcher.ts";

export interface WatchersOptions {
  /** Whether a genuine token has been revoked before its time. */
  readonly isRevoked: (caller: Caller) => boolean;
  readonly metrics: WatchMetrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly maxPerUser: number;
  readonly maxPerProcess: number;
  /** Changes that may wait for one reader. */
  readonly maxWaiting: number;
}

/** Everybody who watches through this process. */
export class Watchers {
  readonly #options: WatchersOptions;
  readonly #byUser = new Map<string, Set<Watcher>>();
  #count = 0;

  constructor(options: WatchersOptions) {
    this.#options = options;
  }

  get count(): number {
    return this.#count;
  }

  /**
   * Lets a caller watch, until they {@link leave}.
   *
   * @throws ConnectError `resource_exhausted` for one stream more than a user may have, `unavailable`
   * for one more than the process takes
   */
  join(caller: Caller): Watcher {
    const { maxPerUser, maxPerProcess, maxWaiting } = this.#options;
    const own = this.#byUser.get(caller.userId) ?? new Set();
    if (own.size >= maxPerUser) throw tooManyStreams(maxPerUser);
    if (this.#count >= maxPerProcess) throw overloaded();
    const watcher = new Watcher(caller, maxWaiting);
    this.#byUser.set(caller.userId, own.add(watcher));
    this.#count++;
    return watcher;
  }

  leave(watcher: Watcher): void {
    const { userId } = watcher.caller;
    const own = this.#byUser.get(userId);
    if (!own?.delete(watcher)) return;
    this.#count--;
    if (own.size === 0) this.#byUser.delete(userId);
  }

  /** Tells a user's streams. Those that are too slow are cut, and nobody waits for them. */
  tell(userId: string, news: News): void {
    for (const watcher of this.#byUser.get(userId) ?? [])
      if (!watcher.push(news)) this.#cut(watcher, "slow_reader", tooSlow());
  }

  /** Tells everybody. */
  tellAll(news: News): void {
    for (const userId of [...this.#byUser.keys()]) this.tell(userId, news);
  }

  /** Ends the streams whose token has expired or was revoked: they must not outlive their session. */
  checkTokens(): void {
    const { isRevoked, now } = this.#options;
    for (const own of this.#byUser.values())
      for (const watcher of own) {
        const { caller } = watcher;
        if (isRevoked(caller)) this.#cut(watcher, "token", tokenEnded("been revoked"));
        else if (caller.expiresAtMs <= now()) this.#cut(watcher, "token", tokenEnded("expired"));
      }
  }

  #cut(watcher: Watcher, reason: "slow_reader" | "token", error: ConnectError): void {
    if (watcher.end(error)) this.#options.metrics.cut(reason);
  }
}

function tooManyStreams(max: number): ConnectError {
  const message = `a user may have ${max} streams open`;
  return failure(Code.ResourceExhausted, message, Reason.TOO_MANY_STREAMS);
}

function overloaded(): ConnectError {
  return failure(Code.Unavailable, "too many streams are open", Reason.OVERLOADED, 1_000);
}

function tooSlow(): ConnectError {
  const message = "the stream was read too slowly, connect again and resume";
  return failure(Code.Unavailable, message, Reason.SLOW_READER, 0);
}

function tokenEnded(how: string): ConnectError {
  return failure(Code.Unauthenticated, `the access token has ${how}`, Reason.INVALID_TOKEN);
}
