import type { Interceptor, Transport } from "@connectrpc/connect";
import type { Registry } from "@prometheus-io/client";
import { createGrpcTransport } from "../grpc/transport.ts";
import type { Logger } from "../logger.ts";
import type { Tracing } from "../tracing/tracing.ts";
import { AdaptiveLimit } from "./adaptive-limit.ts";
import type { AddressSnapshot } from "./address-pool.ts";
import { Breaker, type BreakerSnapshot, type Transition } from "./breaker.ts";
import { CallQueue } from "./call-queue.ts";
import { RetryBudget } from "./retry-budget.ts";
import { registerUpstreamMetrics, stateNumbers } from "./upstream-metrics.ts";
import { UpstreamStreams } from "./upstream-stream.ts";
import { createUnary } from "./upstream-unary.ts";

/** Settings of {@link createUpstream}. */
export interface UpstreamOptions {
  /** Names the upstream in metrics and logs, e.g. `user-service`. */
  name: string;
  /** Base URLs, e.g. `["http://order:50052"]`; each name is resolved to all its addresses. */
  baseUrls: readonly string[];
  /** Longest time a unary call may take, retries and waiting included, in milliseconds. */
  timeoutMs: number;
  /** Streams open at once; one more is turned away as too much. Default 3,072. */
  maxStreams?: number;
  /** Told about every change of the breaker's state. */
  logger: Logger;
  /** Where the metrics go. One registry may serve several upstreams. */
  registry: Registry;
  /** Run around every attempt; the last one is the closest to the wire. Default: none. */
  interceptors?: Interceptor[];
  /** Records a span for each attempt of a call whose `traceparent` is sampled. Default: off. */
  tracing?: Tracing | undefined;
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  now?: () => number;
  /** A number in [0, 1), for jitter. Default: `Math.random`. */
  random?: () => number;
}

/** The client to a service. */
export interface Upstream {
  /** Names the upstream in metrics and logs. */
  readonly name: string;
  /**
   * For `createClient(service, upstream.transport)`. A unary call passes deadline → breaker →
   * concurrency → retry → gRPC; its `timeoutMs` only shortens the upstream's own, and has passed at once
   * when it is not above zero. A stream has the deadline of its caller alone.
   *
   * What the upstream answers passes through as it is. Turned away here, a call is `unavailable` with an
   * `ErrorInfo`: REASON_BREAKER_OPEN or REASON_OVERLOADED, and when to come back.
   */
  readonly transport: Transport;
  /** The breaker as it is now, for `GET /breakers`. */
  snapshot(): BreakerSnapshot;
  /** All its addresses that are known, in no order. None before the first call. */
  addresses(): readonly AddressSnapshot[];
  /** Takes no new calls, lets open ones end and closes the connections. */
  close(): Promise<void>;
}

/** Builds the client to a service; it connects with the first call. */
export function createUpstream(options: UpstreamOptions): Upstream {
  const { name, baseUrls, timeoutMs, registry, tracing, interceptors = [] } = options;
  const { now = () => performance.now(), random = Math.random } = options;
  const wire = createGrpcTransport({ baseUrls, interceptors });
  const onTransition = (transition: Transition) => {
    metrics.transition(transition);
    log(options, transition);
  };
  const breaker = new Breaker({ now, random, onTransition });
  const limit = new AdaptiveLimit(now);
  const queue = new CallQueue(() => limit.limit);
  const budget = new RetryBudget();
  const metrics = registerUpstreamMetrics(registry, name, {
    breakerState: () => stateNumbers[breaker.state],
    limit: () => limit.limit,
    callsUnderWay: () => queue.underWay,
    callsWaiting: () => queue.waiting,
    streamsOpen: () => streams.open,
    retryTokens: () => budget.tokens,
  });
  const shared = { breaker, limit, queue, budget, metrics, tracing };
  const lostConnections = new WeakSet<object>();
  const parts = { name, timeoutMs, wire, ...shared, lostConnections, now, random };
  const streams = new UpstreamStreams(parts, options.maxStreams);
  return {
    name,
    transport: { unary: createUnary(parts), stream: streams.stream },
    snapshot: () => breaker.snapshot(),
    addresses: () => wire.addresses(),
    close: () => wire.close(),
  };
}

function log({ logger, name }: UpstreamOptions, { from, to, reason }: Transition): void {
  const line = { upstream: name, from, to, reason };
  if (to === "open") logger.warn(line, "breaker opened");
  else logger.info(line, "breaker changed");
}
