import type { Order } from "@3l1/gen/order/v1/order_pb.ts";
import { useSignal } from "@preact/signals";
import { failureOf } from "../api/failure.ts";
import { Alert } from "../parts/alert.tsx";
import { Icon } from "../parts/icon.tsx";
import { Empty, Page, Skeleton } from "../parts/page.tsx";
import { Ago } from "../parts/time.tsx";
import { toast } from "../parts/toasts.tsx";
import { ConnectionMark } from "./connection-mark.tsx";
import { announcement, changedId } from "./live-orders.ts";
import { formatMoney } from "./money.ts";
import { ownOrders } from "./order-book.ts";
import { loaded, loadFailure, loadMore, loadOrders, nextPageToken } from "./order-list.ts";
import { StatusMark } from "./status.tsx";

/** One's own orders, which change as they change. */
export function OrdersPage() {
  const list = ownOrders.value;
  const failure = loadFailure.value;
  return (
    <Page title="Your orders" aside={<Aside hasOrders={list.length > 0} />}>
      <p class="hidden" role="status">
        {announcement.value}
      </p>
      {failure && <Alert text={failure.message} retry={() => void loadOrders()} />}
      {!loaded.value && !failure && <Skeleton rows={4} />}
      {loaded.value && list.length === 0 && (
        <Empty title="No orders yet">
          <p>What you order shows up here, and so does every change to it.</p>
          <a class="button primary" href="#/orders/new">
            Place an order
          </a>
        </Empty>
      )}
      {list.length > 0 && (
        <>
          <ul class="slips">
            {list.map((order) => (
              <Slip key={order.id} order={order} />
            ))}
          </ul>
          <More />
        </>
      )}
    </Page>
  );
}

/** Where there is no order yet, the way to the first one stands in the middle of the page. */
function Aside({ hasOrders }: { readonly hasOrders: boolean }) {
  return (
    <div class="beside">
      <ConnectionMark />
      {hasOrders && (
        <a class="button primary" href="#/orders/new">
          <Icon name="plus" /> New order
        </a>
      )}
    </div>
  );
}

function Slip({ order }: { readonly order: Order }) {
  const { id, items, totalMinor, currencyCode, note, status, createdAt, version } = order;
  const [first, ...others] = items;
  const isNews = changedId.value === id;
  return (
    <li key={version} class={isNews ? "slip news" : "slip"} data-order={id}>
      <a href={`#/orders/${id}`}>
        <span class="line">
          <span class="what">
            {first?.quantity} × {first?.sku}
            {others.length > 0 && <small> and {others.length} more</small>}
          </span>
          <span class="leader" aria-hidden="true" />
          <span class="amount">{formatMoney(totalMinor, currencyCode)}</span>
        </span>
        <span class="line meta">
          <StatusMark status={status} />
          <Ago at={createdAt} />
          <span class="note">{note}</span>
        </span>
      </a>
    </li>
  );
}

function More() {
  const busy = useSignal(false);
  if (nextPageToken.value === "") return null;
  async function load(): Promise<void> {
    if (busy.value) return;
    busy.value = true;
    await loadMore().catch((error) => toast(failureOf(error).message, "wrong"));
    busy.value = false;
  }
  return (
    <button type="button" class="quiet more" aria-disabled={busy.value} onClick={load}>
      {busy.value ? "One moment…" : "Show older orders"}
    </button>
  );
}
