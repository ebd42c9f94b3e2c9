import type { WatchOrdersResponse } from "@3l1/gen/order/v1/order_service_pb.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import type { ConnectError } from "@connectrpc/connect";
import type { Position } from "./change-position.ts";

/** Something to tell, and where it stands among the changes. */
export interface News {
  readonly position: Position;
  message(): WatchOrdersResponse;
}

/** A reader of changes that is not read fast enough: a queue with a bound, and an end. */
export class Watcher {
  readonly caller: Caller;
  readonly #maxWaiting: number;
  #waiting: News[] = [];
  #end: ConnectError | undefined;
  #wake: (() => void) | undefined;

  constructor(caller: Caller, maxWaiting: number) {
    this.caller = caller;
    this.#maxWaiting = maxWaiting;
  }

  /** False when there is no room: the reader is too slow. */
  push(news: News): boolean {
    if (this.#end !== undefined) return true;
    if (this.#waiting.length >= this.#maxWaiting) return false;
    this.#waiting.push(news);
    this.#wake?.();
    return true;
  }

  /** What has been pushed is not told any more: it can be had by resuming. False if it has ended before. */
  end(error: ConnectError): boolean {
    if (this.#end !== undefined) return false;
    this.#end = error;
    this.#waiting = [];
    this.#wake?.();
    return true;
  }

  /** Something waits to be taken. */
  get hasNews(): boolean {
    return this.#waiting.length > 0;
  }

  /**
   * All that waits, or nothing after `timeoutMs`.
   *
   * @throws ConnectError what it has been ended with
   */
  async take(timeoutMs: number): Promise<readonly News[]> {
    if (this.#end === undefined && this.#waiting.length === 0) await this.#woken(timeoutMs);
    this.throwIfEnded();
    const news = this.#waiting;
    this.#waiting = [];
    return news;
  }

  throwIfEnded(): void {
    if (this.#end !== undefined) throw this.#end;
  }

  #woken(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, timeoutMs);
      this.#wake = done;
      function done() {
        clearTimeout(timer);
        resolve();
      }
    });
  }
}
