import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Registry } from "@prometheus-io/client";
import type { BreakerSnapshot } from "./breaker.ts";
import { createGrpcTransport } from "./grpc-transport.ts";
import type { Logger } from "./logger.ts";

/** Settings of {@link createUpstream}. */
export interface UpstreamOptions {
  /** Names the upstream in metrics and logs, e.g. `user-service`. */
  name: string;
  /** Base URLs, e.g. `["http://order:50052"]`; each name is resolved to all its addresses. */
  baseUrls: readonly string[];
  /** Longest time a unary call may take, retries and waiting included, in milliseconds. */
  timeoutMs: number;
  /** Told about every change of the breaker's state. */
  logger: Logger;
  /** Where the metrics go. One registry may serve several upstreams. */
  registry: Registry;
  /** Run around every attempt; the last one is the closest to the wire. */
  interceptors?: Interceptor[];
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  now?: () => number;
}

/** The client to a service. */
export interface Upstream {
  /** Names the upstream in metrics and logs. */
  readonly name: string;
  /** For `createClient(service, upstream.transport)`: deadline → breaker → concurrency → retry → gRPC. */
  readonly transport: Transport;
  /** The breaker as it is now, for `GET /breakers`. */
  snapshot(): BreakerSnapshot;
  /** Takes no new calls, lets open ones end and closes the connections. */
  close(): Promise<void>;
}

/** Builds the client to a service; it connects with the first call. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { name, baseUrls, timeoutMs, interceptors = [] } = options;
  const wire = createGrpcTransport({ baseUrls, interceptors, defaultTimeoutMs: timeoutMs });
  return {
    name,
    transport: wire,
    snapshot: () => ({
      state: "closed",
      reason: "started",
      window: { calls: 0, failures: 0, slow: 0 },
      failuresInARow: 0,
      openForMs: 0,
      leases: 0,
      transitions: [],
    }),
    close: () => wire.close(),
  };
}
