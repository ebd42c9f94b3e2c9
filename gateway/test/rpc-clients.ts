import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { type Client, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import {
  createConnectTransport as createNodeConnectTransport,
  createGrpcWebTransport as createNodeGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";

/** The ways in which clients reach the gateway's RPCs. */
export const protocols = {
  "Connect with JSON": (baseUrl) => createConnectTransport({ baseUrl }),
  "Connect with binary": (baseUrl) =>
    createConnectTransport({ baseUrl, useBinaryFormat: true, defaultTimeoutMs: 10_000 }),
  "Connect by GET": (baseUrl) => createConnectTransport({ baseUrl, useHttpGet: true }),
  "gRPC-Web with binary": (baseUrl) => createGrpcWebTransport({ baseUrl }),
  "gRPC-Web with JSON": (baseUrl) => createGrpcWebTransport({ baseUrl, useBinaryFormat: false }),
  "Connect from Node.js": (baseUrl) => createNodeConnectTransport({ baseUrl, httpVersion: "1.1" }),
  "gRPC-Web from Node.js": (baseUrl) =>
    createNodeGrpcWebTransport({ baseUrl, httpVersion: "1.1", defaultTimeoutMs: 10_000 }),
} satisfies Record<string, (baseUrl: string) => Transport>;

/** Clients of the public services. */
export interface RpcClients {
  readonly users: Client<typeof UserService>;
  readonly orders: Client<typeof OrderService>;
}

export function clientsOf(transport: Transport): RpcClients {
  return {
    users: createClient(UserService, transport),
    orders: createClient(OrderService, transport),
  };
}

/** The error that a call fails with. */
export async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof ConnectError) return error;
  throw new Error(`expected a ConnectError, got ${error}`);
}

/** Reads a stream to its end. */
export async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  return Array.fromAsync(stream);
}
