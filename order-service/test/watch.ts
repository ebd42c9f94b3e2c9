import assert from "node:assert/strict";
import type { OrderService, WatchOrdersResponse } from "@3l1/gen/order/v1/order_service_pb.ts";
import type { Client } from "@connectrpc/connect";
import type { TestUser } from "./platform.ts";

/** A stream of changes that is being read. */
export interface Watch extends AsyncDisposable {
  /** The next message, of whatever kind. */
  next(): Promise<WatchOrdersResponse>;
  /** What the next messages tell, heartbeats left out. */
  events(count: number): Promise<WatchOrdersResponse["event"][]>;
  /** The id of the last message. */
  readonly lastEventId: string;
  /** Leaves it. */
  leave(): void;
}

/** @param lastEventId where to go on; default: from now on */
export function openWatch(user: TestUser, { lastEventId = "", copy = 0 } = {}): Watch {
  const controller = new AbortController();
  const orders: Client<typeof OrderService> = user.at(copy);
  const messages = orders.watchOrders({ lastEventId }, { signal: controller.signal });
  const iterator = messages[Symbol.asyncIterator]();
  let last = lastEventId;
  const next = async () => {
    const { value, done } = await iterator.next();
    assert.ok(!done, "the stream goes on");
    last = value.eventId;
    return value;
  };
  return {
    next,
    async events(count) {
      const events: WatchOrdersResponse["event"][] = [];
      while (events.length < count) {
        const { event } = await next();
        if (event.case !== "heartbeat") events.push(event);
      }
      return events;
    },
    get lastEventId() {
      return last;
    },
    leave: () => controller.abort(),
    async [Symbol.asyncDispose]() {
      controller.abort();
      await iterator.next().catch(() => {});
    },
  };
}
