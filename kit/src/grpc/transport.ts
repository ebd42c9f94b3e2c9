import type { Interceptor, Transport } from "@connectrpc/connect";
import type { AddressSnapshot } from "../resilience/address-pool.ts";
import { createOwnGrpcTransport } from "./own-transport.ts";
import { type GrpcStack, grpcStack } from "./stack.ts";
import { createStockGrpcTransport } from "./stock-transport.ts";

/** Settings of {@link createGrpcTransport}. */
export interface GrpcTransportOptions {
  /** Base URLs, e.g. `["http://order:50052"]`; each name is resolved to all its addresses. */
  baseUrls: readonly string[];
  /** Run around every call; the last one is the closest to the wire. */
  interceptors?: Interceptor[];
  /** Largest answer accepted, in bytes; a larger one is `resource_exhausted`. Default 4 MiB. */
  readMaxBytes?: number;
  /** Deadline of a call that names none, in milliseconds. Default: none. */
  defaultTimeoutMs?: number;
}

/** A transport for `createClient` that owns connections. */
export interface GrpcTransport extends Transport, AsyncDisposable {
  /** All addresses that are known, in no order. None before the first call; the stock transport knows none. */
  addresses(): readonly AddressSnapshot[];
  /** Takes no new calls, lets open ones end and closes the connections. */
  close(): Promise<void>;
}

const DEFAULT_READ_MAX_BYTES = 4 * 1024 * 1024;

/**
 * A gRPC transport over HTTP/2 to all addresses behind the base URLs.
 * @param stack which implementation; only tests choose.
 * @throws TypeError if there is no base URL, or one is malformed.
 */
export function createGrpcTransport(
  options: GrpcTransportOptions,
  stack: GrpcStack = grpcStack,
): GrpcTransport {
  if (options.baseUrls.length === 0) throw new TypeError("a gRPC transport needs a base URL");
  const readMaxBytes = options.readMaxBytes ?? DEFAULT_READ_MAX_BYTES;
  const create = stack === "own" ? createOwnGrpcTransport : createStockGrpcTransport;
  return create({ ...options, readMaxBytes });
}
