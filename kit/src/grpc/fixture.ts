// For the tests of the connections below the gRPC transport.
import { Health } from "@3l1/gen/grpc/health/v1/health_pb.ts";
import { ConnectError, createClient } from "@connectrpc/connect";
import type { AddressPoolOptions } from "../resilience/address-pool.ts";
import { createOwnGrpcTransport } from "./own-transport.ts";
import { createGrpcServer } from "./server.ts";

/** A server that counts its calls and connections; what a call does can be changed. */
export async function startServer(port = 0, host = "127.0.0.1") {
  const state = { calls: 0, connections: 0, handle: async () => {} };
  const grpc = createGrpcServer({
    routes: (router) =>
      router.service(Health, {
        async check() {
          state.calls += 1;
          await state.handle();
          return {};
        },
      }),
  });
  grpc.server.on("session", () => {
    state.connections += 1;
  });
  const bound = await grpc.listen(port, host);
  return Object.assign(state, {
    grpc,
    port: bound.port,
    url: `http://${host}:${bound.port}`,
    [Symbol.asyncDispose]: () => grpc.drain(0),
  });
}

/** A client over our own transport. */
export function connect(baseUrls: readonly string[], options: AddressPoolOptions = {}) {
  const transport = createOwnGrpcTransport({ baseUrls, readMaxBytes: 1_000 }, options);
  const client = createClient(Health, transport);
  return {
    call: (timeoutMs = 10_000) => client.check({}, { timeoutMs }),
    addresses: () => transport.addresses(),
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

type Caller = ReturnType<typeof connect>;

/** The errors of this many calls, one after the other. */
export async function callTimes(caller: Caller, times: number): Promise<ConnectError[]> {
  const errors: ConnectError[] = [];
  for (let count = 0; count < times; count++) {
    await caller.call().catch((error) => errors.push(ConnectError.from(error)));
  }
  return errors;
}

/** Waits until the condition holds; it is looked at every millisecond. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}
