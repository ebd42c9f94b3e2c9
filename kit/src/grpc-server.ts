import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { ConnectRouter, Interceptor } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { SessionDrain } from "./grpc-drain.ts";

/** Settings of {@link createGrpcServer}. */
export interface GrpcServerOptions {
  /** Registers the services. */
  routes: (router: ConnectRouter) => void;
  /** Run around every call; the last one is the closest to the handler. */
  interceptors?: Interceptor[];
  /** Largest request accepted, in bytes; a larger one is `resource_exhausted`. Default 4 MiB. */
  readMaxBytes?: number;
  /** Longest deadline of a unary call, in milliseconds; longer asks are shortened. Default 60,000. */
  maxTimeoutMs?: number;
}

/** An h2c server for gRPC, gRPC-Web and Connect. */
export interface GrpcServer {
  /** The node:http2 server, not yet listening. */
  server: http2.Http2Server;
  /** Listens; port 0 lets the system choose. Rejects if the port is taken. */
  listen(port: number, host: string): Promise<{ port: number }>;
  /** GOAWAY to every session, waits for open streams up to deadlineMs, then destroys what is left. */
  drain(deadlineMs: number): Promise<void>;
}

const DEFAULT_READ_MAX_BYTES = 4 * 1024 * 1024;

/** Builds the server; it accepts nothing before `listen`. */
export function createGrpcServer(options: GrpcServerOptions): GrpcServer {
  const { maxTimeoutMs: _, ...rest } = options;
  const adapter = connectNodeAdapter({
    ...rest,
    readMaxBytes: options.readMaxBytes ?? DEFAULT_READ_MAX_BYTES,
  });
  const server = http2.createServer(adapter);
  const drain = new SessionDrain(server);
  return {
    server,
    listen: (port, host) =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(port, host, () => {
          server.off("error", reject);
          resolve({ port: (server.address() as AddressInfo).port });
        });
      }),
    drain: (deadlineMs) => drain.drain(deadlineMs),
  };
}
