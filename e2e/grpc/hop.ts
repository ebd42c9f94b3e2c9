import { test } from "node:test";
import { createGrpcServer, type GrpcServer, type GrpcServerOptions } from "@3l1/kit/grpc/server.ts";
import type { GrpcStack } from "@3l1/kit/grpc/stack.ts";
import {
  createGrpcTransport,
  type GrpcTransport,
  type GrpcTransportOptions,
} from "@3l1/kit/grpc/transport.ts";
import { type Client, ConnectError, createClient, type ServiceImpl } from "@connectrpc/connect";
import { ParityService } from "./gen/parity/v1/parity_pb.ts";

/** Which implementation is on which side. */
export interface Pair {
  readonly client: GrpcStack;
  readonly server: GrpcStack;
}

export const stacks: readonly GrpcStack[] = ["own", "stock"];
const pairs: readonly Pair[] = stacks.flatMap((client) =>
  stacks.map((server) => ({ client, server })),
);

/** The same test for our own and the stock client against our own and the stock server. */
export function testAllPairs(name: string, body: (pair: Pair) => Promise<void>): void {
  for (const pair of pairs) {
    test(`${name} (${pair.client} client → ${pair.server} server)`, () => body(pair));
  }
}

/** Deadlines to try one after the other, in ms, until one lets a call arrive: a busy machine may stop for a while. */
export const upToAMinute: readonly number[] = [100, 1_000, 10_000, 60_000];

export type Handlers = Partial<ServiceImpl<typeof ParityService>>;

/** What differs from the defaults. */
export interface HopSetup {
  readonly server?: Partial<GrpcServerOptions>;
  readonly client?: Partial<GrpcTransportOptions>;
}

/** A server and a client to it, on a port of the system's choice. */
export interface Hop extends AsyncDisposable {
  readonly client: Client<typeof ParityService>;
  readonly transport: GrpcTransport;
  readonly server: GrpcServer;
  readonly port: number;
}

export async function startHop(pair: Pair, handlers: Handlers, setup: HopSetup = {}): Promise<Hop> {
  const server = startServer(pair.server, handlers, setup.server);
  const { port } = await server.listen(0, "127.0.0.1");
  const baseUrls = [`http://127.0.0.1:${port}`];
  const transport = createGrpcTransport({ baseUrls, ...setup.client }, pair.client);
  return {
    client: createClient(ParityService, transport),
    transport,
    server,
    port,
    async [Symbol.asyncDispose]() {
      await transport.close();
      await server.drain(0);
    },
  };
}

export function startServer(
  stack: GrpcStack,
  handlers: Handlers,
  options: Partial<GrpcServerOptions> = {},
): GrpcServer {
  const routes: GrpcServerOptions["routes"] = (router) => router.service(ParityService, handlers);
  return createGrpcServer({ routes, ...options }, stack);
}

/** The error that the promise rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const result = await promise.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ("value" in result) throw new Error("expected an error, but the call succeeded");
  if (!(result.error instanceof ConnectError)) throw result.error;
  return result.error;
}

/** A promise and its resolve, to wait for something that happens elsewhere. */
export function signal<T = void>() {
  return Promise.withResolvers<T>();
}
