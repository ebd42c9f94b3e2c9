import { type Order, OrderSchema, OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import {
  type CreateOrderRequest,
  type CreateOrderResponse,
  CreateOrderResponseSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { v7 as uuidv7 } from "uuid";
import { checkCurrency } from "./currency.ts";
import { type Idempotency, idempotencyKeyReused } from "./idempotency.ts";
import { idempotencyKeptMs } from "./limits.ts";
import { totalMinorOf } from "./order.ts";
import type { OrderStore } from "./store.ts";

/**
 * Places an order, or answers a repeat as the first request was answered.
 *
 * @throws ConnectError `invalid_argument` for what the schema's rules cannot say, and for an
 * idempotency key that stands for another request; `unauthenticated` for a deleted user
 */
export async function createOrder(
  store: OrderStore,
  request: CreateOrderRequest,
  userId: string,
  idempotency: Idempotency | undefined,
  nowMs: number,
): Promise<CreateOrderResponse> {
  const response = create(CreateOrderResponseSchema, { order: newOrder(request, userId, nowMs) });
  const placement = await store.place(
    response.order as Order,
    idempotency && {
      ...idempotency,
      answer: toBinary(CreateOrderResponseSchema, response),
      keptSince: new Date(nowMs - idempotencyKeptMs),
    },
  );
  switch (placement.outcome) {
    case "placed":
      return response;
    case "purged":
      throw failure(Code.Unauthenticated, "the account has been deleted", Reason.INVALID_TOKEN);
    case "repeated":
      if (!idempotency?.isSameRequest(placement.requestHash)) throw idempotencyKeyReused();
      return fromBinary(CreateOrderResponseSchema, placement.answer);
  }
}

function newOrder(request: CreateOrderRequest, userId: string, nowMs: number): Order {
  const { items, currencyCode, note } = request;
  checkCurrency(currencyCode);
  const now = timestampFromMs(nowMs);
  return create(OrderSchema, {
    id: uuidv7(),
    userId,
    items,
    currencyCode,
    totalMinor: totalMinorOf(items),
    note,
    status: OrderStatus.PROCESSING,
    version: 1,
    createdAt: now,
    updatedAt: now,
  });
}
