import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { createGrpcServer } from "@3l1/kit/grpc/server.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { type ConnectRouter, createClient, type Interceptor } from "@connectrpc/connect";
import {
  connectNodeAdapter,
  createGrpcTransport as createStockTransport,
} from "@connectrpc/connect-node";
import type { GetOrder } from "./gateway.ts";
import { clientInterceptors, serverInterceptors, timeoutMs } from "./interceptors.ts";
import { sampleAnswer } from "./order.ts";
import type { ConnectHop } from "./variants.ts";

/** The client's side. */
export function connectClient({ stack, usual }: ConnectHop, port: number): GetOrder {
  const interceptors = usual ? clientInterceptors() : [];
  const baseUrl = `http://127.0.0.1:${port}`;
  const transport =
    stack === "own"
      ? createGrpcTransport({ baseUrls: [baseUrl], interceptors }, "own")
      : createStockTransport({ baseUrl, interceptors });
  const client = createClient(OrderService, transport);
  const options = usual ? { timeoutMs } : {};
  return (id) => client.getOrder({ id }, options);
}

/** The service's side, as the libraries' own manuals have it. @returns its port */
export async function connectService({ stack, usual }: ConnectHop): Promise<number> {
  const interceptors = usual ? serverInterceptors() : [];
  const server =
    stack === "own"
      ? createGrpcServer({ routes, interceptors }, "own").server
      : stockServer(interceptors);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

function stockServer(interceptors: Interceptor[]) {
  return http2.createServer(connectNodeAdapter({ routes, interceptors }));
}

function routes(router: ConnectRouter): void {
  const answer = sampleAnswer();
  router.service(OrderService, { getOrder: () => answer });
}
