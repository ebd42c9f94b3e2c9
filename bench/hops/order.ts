import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import {
  type GetOrderResponse,
  GetOrderResponseSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";

/** The order that everybody asks for. */
export const orderId = "01980000-0000-7000-8000-000000000001";

/** What every variant answers: an order as the platform has them. */
export function sampleAnswer(): GetOrderResponse {
  const placedAt = timestampFromMs(1_750_000_000_000);
  return create(GetOrderResponseSchema, {
    order: {
      id: orderId,
      userId: "01980000-0000-7000-8000-000000000002",
      items: [{ sku: "tea-1", quantity: 2, unitPriceMinor: 450n }],
      currencyCode: "EUR",
      totalMinor: 900n,
      note: "no rush",
      status: OrderStatus.PROCESSING,
      version: 1,
      createdAt: placedAt,
      updatedAt: placedAt,
    },
  });
}
