import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";

const names: Record<OrderStatus, string> = {
  [OrderStatus.UNSPECIFIED]: "New",
  [OrderStatus.PROCESSING]: "Processing",
  [OrderStatus.DONE]: "Done",
  [OrderStatus.CANCELLED]: "Cancelled",
};

/** A status in a word. */
export function nameOf(status: OrderStatus): string {
  return names[status] ?? "Unknown";
}

/** A status as a mark: shape and word say it, colour only helps. */
export function StatusMark({ status }: { readonly status: OrderStatus }) {
  const name = nameOf(status);
  return <span class={`status ${name.toLowerCase()}`}>{name}</span>;
}
