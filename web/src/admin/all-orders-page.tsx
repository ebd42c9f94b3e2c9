import { type Order, OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { orders as client } from "../api/clients.ts";
import { failureOf } from "../api/failure.ts";
import { query } from "../app/router.ts";
import { changeStatus } from "../orders/change-status.ts";
import { formatMoney } from "../orders/money.ts";
import { nameOf, StatusMark } from "../orders/status.tsx";
import { Alert } from "../parts/alert.tsx";
import { Icon } from "../parts/icon.tsx";
import { Empty, Page, Skeleton } from "../parts/page.tsx";
import { Ago } from "../parts/time.tsx";
import { toast } from "../parts/toasts.tsx";
import { usePages } from "./pages.ts";
import { ScrollTable } from "./scroll-table.tsx";

const filters = [
  OrderStatus.UNSPECIFIED,
  OrderStatus.PROCESSING,
  OrderStatus.DONE,
  OrderStatus.CANCELLED,
] as const;

/** Everybody's orders, for administrators. */
export function AllOrdersPage() {
  const status = filters.find((each) => String(each) === query.value.get("status")) ?? filters[0];
  const userId = query.value.get("user") ?? "";
  const pages = usePages<Order>(
    async (pageToken) => {
      const { orders, nextPageToken } = await client.listOrders({ status, userId, pageToken });
      return { items: orders, nextPageToken };
    },
    [status, userId],
  );
  const change = async (order: Order, to: OrderStatus) => {
    try {
      const next = await changeStatus(order, to);
      if (next) pages.replace(order, next);
    } catch (error) {
      toast(failureOf(error).message, "wrong");
    }
  };
  const items = pages.items.value;
  const failure = pages.failure.value;
  return (
    <Page title="All orders" aside={<ReloadButton reload={pages.reload} />}>
      <nav class="filters" aria-label="Status">
        {filters.map((each) => (
          <a
            key={each}
            href={linkTo(each, userId)}
            {...(each === status && { "aria-current": "true" as const })}
          >
            {each === OrderStatus.UNSPECIFIED ? "All" : nameOf(each)}
          </a>
        ))}
        {userId && (
          <a class="chip" href={linkTo(status, "")} aria-label="Show the orders of all users">
            of <code>{userId.slice(-12)}</code> <Icon name="close" />
          </a>
        )}
      </nav>
      {failure && <Alert text={failure.message} retry={pages.reload} />}
      {items === undefined && !failure && <Skeleton rows={5} />}
      {items?.length === 0 && <Empty title="No such orders" />}
      {items && items.length > 0 && <OrderTable items={items} change={change} />}
      {pages.hasMore.value && (
        <button type="button" class="quiet more" onClick={() => void pages.more()}>
          Show older orders
        </button>
      )}
    </Page>
  );
}

interface TableProps {
  readonly items: readonly Order[];
  readonly change: (order: Order, status: OrderStatus) => Promise<void>;
}

function OrderTable({ items, change }: TableProps) {
  return (
    <ScrollTable label="Orders">
      <thead>
        <tr>
          <th scope="col">Order</th>
          <th scope="col">User</th>
          <th scope="col">Placed</th>
          <th scope="col" class="number">
            Total
          </th>
          <th scope="col">Status</th>
          <th scope="col">
            <span class="hidden">Change</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {items.map((order) => (
          <tr key={order.id} data-order={order.id}>
            <td>
              <a href={`#/orders/${order.id}`}>
                {order.items[0]?.quantity} × {order.items[0]?.sku}
                {order.items.length > 1 && ` + ${order.items.length - 1}`}
              </a>
            </td>
            <td>
              <a href={linkTo(OrderStatus.UNSPECIFIED, order.userId)} title={order.userId}>
                <code>{order.userId.slice(-12)}</code>
              </a>
            </td>
            <td>
              <Ago at={order.createdAt} />
            </td>
            <td class="number">{formatMoney(order.totalMinor, order.currencyCode)}</td>
            <td>
              <StatusMark status={order.status} />
            </td>
            <td class="acts">
              {order.status === OrderStatus.PROCESSING && (
                <>
                  <button
                    type="button"
                    class="quiet"
                    onClick={() => void change(order, OrderStatus.DONE)}
                  >
                    Done
                  </button>
                  <button
                    type="button"
                    class="quiet"
                    onClick={() => void change(order, OrderStatus.CANCELLED)}
                  >
                    Cancel
                  </button>
                </>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </ScrollTable>
  );
}

/** Others' orders do not come by themselves. */
function ReloadButton({ reload }: { readonly reload: () => void }) {
  return (
    <button type="button" class="quiet" onClick={reload}>
      <Icon name="reload" /> Reload
    </button>
  );
}

function linkTo(status: OrderStatus, userId: string): string {
  const search = new URLSearchParams({
    ...(status !== OrderStatus.UNSPECIFIED && { status: String(status) }),
    ...(userId && { user: userId }),
  }).toString();
  return `#/admin/orders${search && `?${search}`}`;
}
