import { type Order, type OrderEvent, OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { Code } from "@connectrpc/connect";
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { orders as client } from "../api/clients.ts";
import { type Failure, failureOf, hasCode } from "../api/failure.ts";
import { isAdmin, user } from "../api/session.ts";
import { go } from "../app/router.ts";
import { Alert } from "../parts/alert.tsx";
import { Confirm } from "../parts/dialog.tsx";
import { Empty, Page, Skeleton } from "../parts/page.tsx";
import { Exactly } from "../parts/time.tsx";
import { toast } from "../parts/toasts.tsx";
import { changeStatus } from "./change-status.ts";
import { formatMoney } from "./money.ts";
import { isRemoved, orderOf, removeOrder } from "./order-book.ts";
import { nameOf, StatusMark } from "./status.tsx";

/** One order: what is in it, what happened to it, and what can be done about it. */
export function OrderPage({ id }: { readonly id: string }) {
  const fetched = useSignal<Order | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  const isGone = useSignal(false);
  const live = orderOf(id);
  const order = newest(live, fetched.value);

  async function load(): Promise<void> {
    failure.value = undefined;
    try {
      fetched.value = (await client.getOrder({ id })).order;
    } catch (error) {
      isGone.value = hasCode(error, Code.NotFound, Code.InvalidArgument);
      failure.value = failureOf(error);
    }
  }
  useEffect(() => void load(), [id]);

  if (isGone.value || isRemoved(id))
    return (
      <Page title="Order">
        <Empty title="This order is not there">
          <p>It was removed, or it is not yours.</p>
          <a class="button quiet" href="#/orders">
            Back to your orders
          </a>
        </Empty>
      </Page>
    );
  return (
    <Page title="Order" aside={order && <StatusMark status={order.status} />}>
      {failure.value && <Alert text={failure.value.message} retry={() => void load()} />}
      {!order && !failure.value && <Skeleton rows={5} />}
      {order && (
        <div class="split">
          <Receipt order={order} />
          <div>
            <History order={order} />
            <Actions order={order} changed={(next) => (fetched.value = next)} />
          </div>
        </div>
      )}
    </Page>
  );
}

function newest(a: Order | undefined, b: Order | undefined): Order | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return a.version >= b.version ? a : b;
}

function Receipt({ order }: { readonly order: Order }) {
  const { id, items, currencyCode, totalMinor, note, createdAt, userId } = order;
  return (
    <section class="receipt" aria-label="What was ordered">
      <p class="meta">
        <Exactly at={createdAt} />
        <code title={id}>{id.slice(-12)}</code>
      </p>
      <ul>
        {items.map(({ sku, quantity, unitPriceMinor }, index) => (
          <li key={index}>
            <span>
              {quantity} × {sku} <small>at {formatMoney(unitPriceMinor, currencyCode)}</small>
            </span>
            <span class="leader" aria-hidden="true" />
            <span class="amount">
              {formatMoney(unitPriceMinor * BigInt(quantity), currencyCode)}
            </span>
          </li>
        ))}
      </ul>
      <p class="total">
        <span>Total</span>
        <span class="leader" aria-hidden="true" />
        <span class="amount">{formatMoney(totalMinor, currencyCode)}</span>
      </p>
      {note && <p class="note">“{note}”</p>}
      {userId !== user.value?.id && (
        <p class="meta">
          Placed by <code>{userId.slice(-12)}</code>
        </p>
      )}
    </section>
  );
}

function History({ order }: { readonly order: Order }) {
  const events = useSignal<readonly OrderEvent[] | undefined>(undefined);
  const failure = useSignal<Failure | undefined>(undefined);
  async function load(): Promise<void> {
    try {
      events.value = (await client.listOrderEvents({ id: order.id })).events;
      failure.value = undefined;
    } catch (error) {
      failure.value = failureOf(error);
    }
  }
  useEffect(() => void load(), [order.id, order.version]);
  return (
    <section>
      <h2>History</h2>
      {failure.value && <Alert text={failure.value.message} retry={() => void load()} />}
      {events.value === undefined && !failure.value && <Skeleton rows={2} />}
      <ol class="history">
        {events.value?.map((event, index) => (
          <li key={index}>
            <strong>{index === 0 ? "Placed" : nameOf(event.toStatus)}</strong>{" "}
            {event.actorId === user.value?.id ? "by you" : "by somebody else"}
            {index > 0 && event.reason && `: ${event.reason}`}
            <br />
            <small>
              <Exactly at={event.createdAt} />
            </small>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Actions({ order, changed }: { order: Order; changed: (order: Order) => void }) {
  const asking = useSignal<"" | "cancel" | "remove">("");
  const isOpen = order.status === OrderStatus.PROCESSING;
  const isOwn = order.userId === user.value?.id;
  const set = async (status: OrderStatus) => {
    const next = await changeStatus(order, status);
    if (next) changed(next);
  };
  async function remove(): Promise<void> {
    await client.deleteOrder({ id: order.id });
    removeOrder(order.id);
    toast("The order is removed.");
    go(isOwn ? "/orders" : "/admin/orders", { replace: true });
  }
  return (
    <div class="actions start">
      {isOpen && isAdmin.value && (
        <button
          type="button"
          class="primary"
          onClick={() =>
            void set(OrderStatus.DONE).catch((error) => toast(failureOf(error).message, "wrong"))
          }
        >
          Mark as done
        </button>
      )}
      {isOpen && (
        <button type="button" class="quiet" onClick={() => (asking.value = "cancel")}>
          Cancel the order
        </button>
      )}
      <button type="button" class="quiet" onClick={() => (asking.value = "remove")}>
        Remove
      </button>
      {asking.value === "cancel" && (
        <Confirm
          title="Cancel this order?"
          verb="Cancel the order"
          refuse="Keep it"
          act={() => set(OrderStatus.CANCELLED)}
          closed={() => (asking.value = "")}
        >
          <p>It stays in your list as cancelled. This cannot be taken back.</p>
        </Confirm>
      )}
      {asking.value === "remove" && (
        <Confirm
          title="Remove this order?"
          verb="Remove it"
          refuse="Keep it"
          act={remove}
          closed={() => (asking.value = "")}
        >
          <p>The order and its history are deleted for good.</p>
        </Confirm>
      )}
    </div>
  );
}
