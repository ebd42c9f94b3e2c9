import type { WatchOrdersResponse } from "@3l1/gen/order/v1/order_service_pb.ts";
import { effect, signal } from "@preact/signals";
import { orders as client } from "../api/clients.ts";
import { user } from "../api/session.ts";
import { online, present } from "../app/presence.ts";
import { keepWatching } from "./keep-watching.ts";
import { removeOrder, takeOrders } from "./order-book.ts";
import { forgetList, loadOrders } from "./order-list.ts";
import { nameOf } from "./status.tsx";

/** How changes reach this tab at the moment. */
export type Connection = "connecting" | "live" | "reconnecting" | "offline";
export const connection = signal<Connection>("connecting");
/** The last change in words, for those who cannot see it. */
export const announcement = signal("");
/** The order that has changed last, which is marked for a moment. */
export const changedId = signal("");

/** Follows the orders of whoever is logged in. */
export function followOrders(): void {
  let userId: string | undefined;
  let stop = new AbortController();
  effect(() => {
    const id = user.value?.id;
    if (id === userId) return;
    userId = id;
    stop.abort();
    stop = new AbortController();
    forgetList();
    connection.value = "connecting";
    if (id === undefined) return;
    void loadOrders();
    void follow(stop.signal);
  });
}

async function follow(stop: AbortSignal): Promise<void> {
  let lastEventId = "";
  await keepWatching<WatchOrdersResponse>({
    stop,
    present,
    open: (signal) => client.watchOrders({ lastEventId }, { signal, timeoutMs: 0 }),
    take(message) {
      connection.value = "live";
      // What has happened before the first stream began is not in it.
      if (lastEventId === "") void loadOrders();
      lastEventId = message.eventId;
      take(message);
    },
    lost() {
      connection.value = online.peek() ? "reconnecting" : "offline";
    },
  });
}

function take({ event }: WatchOrdersResponse): void {
  if (event.case === "reset") void loadOrders();
  else if (event.case === "deletedId") {
    if (removeOrder(event.value)) announcement.value = "An order was removed.";
  } else if (event.case === "created" || event.case === "changed") {
    if (!takeOrders([event.value])) return;
    changedId.value = event.value.id;
    announcement.value =
      event.case === "created"
        ? "There is a new order."
        : `An order is now ${nameOf(event.value.status).toLowerCase()}.`;
  }
}
