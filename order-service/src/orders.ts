import type { Order } from "@3l1/gen/order/v1/order_pb.ts";
import type {
  ListOrdersRequest,
  OrderService,
  SetOrderStatusRequest,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { type Caller, callerOf } from "@3l1/kit/auth/caller.ts";
import type { PageTokens } from "@3l1/kit/stores/page-token.ts";
import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { createOrder } from "./create-order.ts";
import { idempotencyOf } from "./idempotency.ts";
import { defaultPageSize, statusAttempts } from "./limits.ts";
import { decideTransition, roleOf } from "./order.ts";
import type { OrderStore } from "./store.ts";

export interface OrderHandlersOptions {
  readonly store: OrderStore;
  readonly pageTokens: PageTokens;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** What users and administrators may do with orders. */
export function createOrderHandlers({ store, pageTokens, now }: OrderHandlersOptions) {
  return {
    createOrder(request, context) {
      const { userId } = callerOf(context);
      const idempotency = idempotencyOf(context.requestHeader, request);
      return createOrder(store, request, userId, idempotency, now());
    },

    async getOrder({ id }, context) {
      return { order: await visibleOrder(store, id, callerOf(context)) };
    },

    listOrders: (request, context) => listOrders(store, pageTokens, request, callerOf(context)),

    async setOrderStatus(request, context) {
      return { order: await setOrderStatus(store, request, callerOf(context), now) };
    },

    async deleteOrder({ id }, context) {
      const { isAdmin, userId } = callerOf(context);
      if (!(await store.remove(id, isAdmin ? undefined : userId))) throw noSuchOrder();
      return {};
    },

    async listOrderEvents({ id }, context) {
      await visibleOrder(store, id, callerOf(context));
      return { events: await store.events(id) };
    },
  } satisfies Partial<ServiceImpl<typeof OrderService>>;
}

/** An order that the caller may see. Another's is not found, as one that never was. */
async function visibleOrder(store: OrderStore, id: string, caller: Caller): Promise<Order> {
  const order = await store.find(id);
  if (order === undefined || roleOf(caller, order) === "stranger") throw noSuchOrder();
  return order;
}

/** One order more than the page holds is read: it tells whether there is another page. */
async function listOrders(
  store: OrderStore,
  pageTokens: PageTokens,
  request: ListOrdersRequest,
  caller: Caller,
) {
  const { pageSize = defaultPageSize, pageToken, status } = request;
  const filter = { userId: whoseOrders(request, caller), status: status || undefined };
  const query = JSON.stringify(["ListOrders", filter.userId ?? "", status]);
  const [before] = pageToken ? pageTokens.decode(pageToken, query) : [];
  const found = await store.list(filter, pageSize + 1, before);
  const orders = found.slice(0, pageSize);
  const last = found.length > pageSize ? orders.at(-1) : undefined;
  return { orders, nextPageToken: last ? pageTokens.encode([last.id], query) : "" };
}

/**
 * @throws ConnectError `permission_denied` when somebody else's orders are asked for. Nothing is
 * looked up for that, so it does not tell whether there is such a user.
 */
function whoseOrders({ userId }: ListOrdersRequest, caller: Caller): string | undefined {
  const asked = userId.toLowerCase() || undefined;
  if (caller.isAdmin) return asked;
  if (asked === undefined || asked === caller.userId) return caller.userId;
  throw new ConnectError("only an administrator lists others' orders", Code.PermissionDenied);
}

/**
 * Decides on the order as it is, and writes only if it still is: else it decides again, so that
 * without a version the last state counts.
 */
async function setOrderStatus(
  store: OrderStore,
  { id, status: to, version }: SetOrderStatusRequest,
  caller: Caller,
  now: () => number,
): Promise<Order> {
  for (let attempt = 0; attempt < statusAttempts; attempt++) {
    const order = await visibleOrder(store, id, caller);
    const reason = decideTransition(order, to, roleOf(caller, order), version);
    const at = new Date(now());
    const changed = await store.changeStatus({ order, to, actorId: caller.userId, reason, at });
    if (changed !== undefined) return changed;
  }
  throw new ConnectError("the order keeps changing", Code.Aborted);
}

function noSuchOrder(): ConnectError {
  return new ConnectError("there is no such order", Code.NotFound);
}
