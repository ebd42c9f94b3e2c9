import {
  type Order,
  type OrderItem,
  OrderStatus,
  OrderStatusSchema,
} from "@3l1/gen/order/v1/order_pb.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { invalidArgument } from "@3l1/kit/rpc/violation.ts";
import { Code, ConnectError } from "@connectrpc/connect";

/** What somebody is to an order. An administrator's own order is, to them, an administrator's. */
export type Role = "owner" | "admin" | "stranger";

/** A way from one status to another: who may take it, and what the history calls it. */
interface Transition {
  readonly from: OrderStatus;
  readonly to: OrderStatus;
  readonly by: Role;
  readonly reason: string;
}

const { PROCESSING, DONE, CANCELLED } = OrderStatus;

/** The lifecycle. What does not stand here is not allowed. */
const transitions: readonly Transition[] = [
  { from: PROCESSING, to: CANCELLED, by: "owner", reason: "cancelled by the owner" },
  { from: PROCESSING, to: CANCELLED, by: "admin", reason: "cancelled by an administrator" },
  { from: PROCESSING, to: DONE, by: "admin", reason: "finished by an administrator" },
];

/** What the history calls an order's first event. */
export const placedReason = "placed";

const maxInt64 = 2n ** 63n - 1n;

export function roleOf(caller: Caller, order: Pick<Order, "userId">): Role {
  if (caller.isAdmin) return "admin";
  return caller.userId === order.userId ? "owner" : "stranger";
}

/**
 * Decides on a change of status, and gives the words for the history.
 *
 * @param version the version that the caller has seen; `undefined` if the last one counts
 * @throws ConnectError `permission_denied` when the status is never this role's to set, `aborted` for
 * a stale version, `failed_precondition` when the order cannot go there any more
 */
export function decideTransition(
  order: Pick<Order, "status" | "version">,
  to: OrderStatus,
  role: Role,
  version?: number,
): string {
  if (role !== "admin" && !transitions.some((each) => each.by === role && each.to === to))
    throw new ConnectError(`${nameOf(to)} is not yours to set`, Code.PermissionDenied);
  if (version !== undefined && version !== order.version)
    throw new ConnectError(`the order is at version ${order.version} by now`, Code.Aborted);
  const transition = transitions.find(
    (each) => each.from === order.status && each.to === to && each.by === role,
  );
  if (transition === undefined) {
    const message = `an order that is ${nameOf(order.status)} cannot become ${nameOf(to)}`;
    throw failure(Code.FailedPrecondition, message, Reason.TRANSITION_NOT_ALLOWED);
  }
  return transition.reason;
}

/**
 * The sum over all items, exactly.
 *
 * @throws ConnectError `invalid_argument` when it does not fit the schema's int64
 */
export function totalMinorOf(items: readonly OrderItem[]): bigint {
  const total = items.reduce((sum, item) => sum + BigInt(item.quantity) * item.unitPriceMinor, 0n);
  if (total > maxInt64)
    throw invalidArgument({
      field: "items",
      rule: "items.total",
      message: `the total must not be above ${maxInt64}`,
    });
  return total;
}

function nameOf(status: OrderStatus): string {
  return (OrderStatusSchema.value[status]?.localName ?? String(status)).toLowerCase();
}
