import { signal } from "@preact/signals";
import { orders as client } from "../api/clients.ts";
import { type Failure, failureOf } from "../api/failure.ts";
import { user } from "../api/session.ts";
import { forgetOrders, replaceOrders, takeOrders } from "./order-book.ts";

/** Whether the first page has come. */
export const loaded = signal(false);
/** Why the list could not be loaded. */
export const loadFailure = signal<Failure | undefined>(undefined);
/** Brings the next page; empty after the last. */
export const nextPageToken = signal("");

const pageSize = 20;
/** Only the answer to the latest question counts. */
let latest = 0;

/** Loads the first page anew, and forgets what was known before. */
export async function loadOrders(): Promise<void> {
  const turn = ++latest;
  try {
    const page = await client.listOrders({ userId: ownId(), pageSize });
    if (turn !== latest) return;
    replaceOrders(page.orders);
    nextPageToken.value = page.nextPageToken;
    loadFailure.value = undefined;
    loaded.value = true;
  } catch (error) {
    if (turn === latest) loadFailure.value = failureOf(error);
  }
}

/** Loads the next page. */
export async function loadMore(): Promise<void> {
  const turn = ++latest;
  const pageToken = nextPageToken.value;
  const page = await client.listOrders({ userId: ownId(), pageSize, pageToken });
  if (turn !== latest) return;
  takeOrders(page.orders);
  nextPageToken.value = page.nextPageToken;
}

/** Somebody else may log in next. */
export function forgetList(): void {
  latest++;
  forgetOrders();
  loaded.value = false;
  loadFailure.value = undefined;
  nextPageToken.value = "";
}

/** An administrator would get everybody's orders without. */
function ownId(): string {
  return user.peek()?.id ?? "";
}
