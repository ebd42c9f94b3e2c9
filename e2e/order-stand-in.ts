import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { createGrpcServer } from "@3l1/kit/grpc/server.ts";
import type { ServiceImpl } from "@connectrpc/connect";

/** A gRPC server that stands in for the order-service, and misbehaves as a story needs it. */
export interface OrderStandIn {
  /** For a gateway's `ORDER_SERVICE_URL`. */
  readonly url: string;
  stop(): Promise<void>;
}

/** Serves the methods given, over h2c on a free port; the others answer `unimplemented`. */
export async function startOrderStandIn(
  handlers: Partial<ServiceImpl<typeof OrderService>>,
): Promise<OrderStandIn> {
  const server = createGrpcServer({ routes: (router) => router.service(OrderService, handlers) });
  const { port } = await server.listen(0, "127.0.0.1");
  return { url: `http://127.0.0.1:${port}`, stop: () => server.drain(1_000) };
}
