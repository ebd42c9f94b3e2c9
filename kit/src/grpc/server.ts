import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import type { DescMethodUnary } from "@bufbuild/protobuf";
import { Code, ConnectError, type ConnectRouter, type Interceptor } from "@connectrpc/connect";
import { ConnectionDrain } from "./drain.ts";
import { noteUnaryRoutes, type UnaryRoute } from "./routes.ts";
import { serveUnaryCall } from "./server-call.ts";
import { type GrpcStack, grpcStack } from "./stack.ts";
import { createStockAdapter } from "./stock-adapter.ts";
import { encodeGrpcTimeout, timeoutMsOf } from "./timeout.ts";
import { composeMethod, type UnaryMethod } from "./unary-method.ts";

/** Settings of {@link createGrpcServer}. */
export interface GrpcServerOptions {
  /** Registers the services. */
  routes: (router: ConnectRouter) => void;
  /** Run around every call; the last one is the closest to the handler. */
  interceptors?: Interceptor[];
  /** Largest request accepted, in bytes; a larger one is `resource_exhausted`. Default 4 MiB. */
  readMaxBytes?: number;
  /**
   * Longest time of a unary call, in milliseconds; a longer deadline is shortened, and a plain gRPC call
   * without one ends then too. Streams may last. Default 60,000.
   */
  maxTimeoutMs?: number;
}

/** An h2c server for gRPC, gRPC-Web and Connect. */
export interface GrpcServer {
  /** The node:http2 server, not yet listening. */
  server: http2.Http2Server;
  /** Listens; port 0 lets the system choose. Rejects if the port is taken. */
  listen(port: number, host: string): Promise<{ port: number }>;
  /**
   * Sends GOAWAY on every connection, tells streaming calls to end (their signal is aborted with
   * `unavailable`), waits for what is open up to `deadlineMs`, then cuts the rest.
   */
  drain(deadlineMs: number): Promise<void>;
}

const DEFAULT_READ_MAX_BYTES = 4 * 1024 * 1024;
const DEFAULT_MAX_TIMEOUT_MS = 60_000;

/**
 * Bounds for what a peer can cost. Peers are our own services, yet one that went wild must not take
 * this one down.
 */
const sessionOptions: http2.ServerOptions = {
  /** Node's 10 MiB would refuse calls with large messages under load. */
  maxSessionMemory: 256,
  maxHeaderListPairs: 128,
  maxOutstandingPings: 10,
  maxSettings: 32,
  settings: {
    enablePush: false,
    maxConcurrentStreams: 4096,
    maxHeaderListSize: 32 * 1024,
    initialWindowSize: 1024 * 1024,
  },
};
/** Clients cancel in bursts, when theirs leave; far more than that is a reset flood (CVE-2023-44487). */
const resetLimits = { streamResetBurst: 10_000, streamResetRate: 1_000 };
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;
/** Longer than our clients keep an idle connection, so that they close it, not we. */
const IDLE_SESSION_MS = 600_000;

/**
 * Builds the server; it accepts nothing before `listen`. Unary gRPC goes its own way, everything else
 * (Connect, gRPC-Web, streams, compressed or JSON requests, mistakes) through the stock adapter.
 * @param stack which implementation serves unary gRPC; only tests choose.
 */
export function createGrpcServer(
  options: GrpcServerOptions,
  stack: GrpcStack = grpcStack,
): GrpcServer {
  const { interceptors = [], readMaxBytes = DEFAULT_READ_MAX_BYTES } = options;
  const maxTimeoutMs = options.maxTimeoutMs ?? DEFAULT_MAX_TIMEOUT_MS;
  const server = http2.createServer({ ...sessionOptions, ...resetLimits } as http2.ServerOptions);
  const drain = new ConnectionDrain(server);
  const draining = new AbortController();
  const unaryRoutes = new Map<string, UnaryRoute>();
  const routes = noteUnaryRoutes(options.routes, unaryRoutes, draining.signal);
  const adapter = createStockAdapter({ routes, interceptors, readMaxBytes });
  const methods = composeMethods(stack === "own" ? unaryRoutes : new Map(), interceptors);
  const limits = { readMaxBytes, maxTimeoutMs };

  server.on("session", watchSession);
  server.on("stream", (stream, headers, _flags, rawHeaders) => {
    const path = headers[":path"] ?? "";
    const unary = methods.get(path);
    if (unary !== undefined && isPlainUnaryGrpc(headers)) {
      return serveUnaryCall(stream, headers, unary.method, unary.run, limits);
    }
    if (unaryRoutes.has(path)) shortenTimeout(headers, maxTimeoutMs);
    adapter(
      new http2.Http2ServerRequest(stream, headers, {}, rawHeaders),
      new http2.Http2ServerResponse(stream),
    );
  });
  return {
    server,
    listen: (port, host) => listen(server, port, host),
    drain: (deadlineMs) => {
      draining.abort(new ConnectError("the server is going away", Code.Unavailable));
      return drain.drain(deadlineMs);
    },
  };
}

interface ComposedMethod {
  readonly method: DescMethodUnary;
  readonly run: UnaryMethod;
}

function composeMethods(
  routes: ReadonlyMap<string, UnaryRoute>,
  interceptors: readonly Interceptor[],
): Map<string, ComposedMethod> {
  const methods = new Map<string, ComposedMethod>();
  for (const [path, route] of routes) {
    methods.set(path, { method: route.method, run: composeMethod(route, interceptors) });
  }
  return methods;
}

/** Binary and uncompressed; what else there is, and what is wrong, the stock adapter answers. */
function isPlainUnaryGrpc(headers: http2.IncomingHttpHeaders): boolean {
  const type = headers["content-type"];
  const encoding = headers["grpc-encoding"];
  return (
    (type === "application/grpc+proto" || type === "application/grpc") &&
    headers[":method"] === "POST" &&
    (encoding === undefined || encoding === "identity")
  );
}

/** For the stock adapter, which would refuse a longer deadline instead. */
function shortenTimeout(headers: http2.IncomingHttpHeaders, maxTimeoutMs: number): void {
  const grpcTimeout = headers["grpc-timeout"];
  if (typeof grpcTimeout === "string" && (timeoutMsOf(grpcTimeout) ?? 0) > maxTimeoutMs) {
    headers["grpc-timeout"] = encodeGrpcTimeout(maxTimeoutMs);
  }
  if (Number(headers["connect-timeout-ms"]) > maxTimeoutMs) {
    headers["connect-timeout-ms"] = String(maxTimeoutMs);
  }
}

/** Says goodbye on a connection without any traffic; what is open on it may still end. */
function watchSession(session: http2.ServerHttp2Session): void {
  session.setLocalWindowSize(SESSION_WINDOW_BYTES);
  session.setTimeout(IDLE_SESSION_MS, () => session.close());
}

function listen(server: http2.Http2Server, port: number, host: string): Promise<{ port: number }> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => {
      server.off("error", reject);
      resolve({ port: (server.address() as AddressInfo).port });
    });
  });
}
