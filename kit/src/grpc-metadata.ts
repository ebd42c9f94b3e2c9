import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";

/**
 * Names that are not sent as metadata: the protocol sets them itself, or HTTP/2 forbids them, as they
 * are about a connection.
 */
const RESERVED = new Set([
  "content-type",
  "te",
  "grpc-timeout",
  "grpc-encoding",
  "grpc-status",
  "grpc-message",
  "grpc-status-details-bin",
  "connection",
  "content-length",
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Most metadata that is sent one way. A peer refuses more than it likes, and node closes a connection
 * over which more than 64 KiB of headers were to be sent.
 */
export const MAX_METADATA_BYTES = 24 * 1024;
/** RFC 9113, 6.5.2: what each header counts beside its name and value. */
const HEADER_OVERHEAD_BYTES = 32;

/** Received HTTP/2 headers or trailers as `Headers`, without pseudo-headers. */
export function toHeaders(received: IncomingHttpHeaders | undefined): Headers {
  const headers = new Headers();
  for (const name in received) {
    if (name.startsWith(":")) continue;
    const value: unknown = received[name];
    if (Array.isArray(value)) for (const each of value) headers.append(name, each);
    else if (value !== undefined) headers.append(name, String(value));
  }
  return headers;
}

/**
 * Metadata as a raw header list (name, value, name, value …), less the reserved names.
 * @throws ConnectError `resource_exhausted` above {@link MAX_METADATA_BYTES}.
 */
export function rawMetadata(metadata: Headers): string[] {
  const rawHeaders: string[] = [];
  let bytes = 0;
  metadata.forEach((value, name) => {
    if (RESERVED.has(name)) return;
    rawHeaders.push(name, value);
    bytes += name.length + value.length + HEADER_OVERHEAD_BYTES;
  });
  if (bytes <= MAX_METADATA_BYTES) return rawHeaders;
  const message = `${bytes} bytes of metadata are more than the limit of ${MAX_METADATA_BYTES}`;
  throw new ConnectError(message, Code.ResourceExhausted);
}

/** Metadata as an object, less the reserved names. */
export function metadataObject(metadata: Headers): OutgoingHttpHeaders {
  const object: Record<string, string[]> = {};
  const rawHeaders = rawMetadata(metadata);
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? "";
    object[name] ??= [];
    object[name].push(rawHeaders[index + 1] ?? "");
  }
  return object;
}

/** Headers and trailers of an answer, made of the received ones when someone looks at them. */
export class ReceivedMetadata {
  readonly #receivedHeader: IncomingHttpHeaders | undefined;
  readonly #receivedTrailer: IncomingHttpHeaders | undefined;
  #header: Headers | undefined;
  #trailer: Headers | undefined;

  constructor(header: IncomingHttpHeaders | undefined, trailer: IncomingHttpHeaders | undefined) {
    this.#receivedHeader = header;
    this.#receivedTrailer = trailer;
  }

  get header(): Headers {
    this.#header ??= toHeaders(this.#receivedHeader);
    return this.#header;
  }

  get trailer(): Headers {
    this.#trailer ??= toHeaders(this.#receivedTrailer);
    return this.#trailer;
  }
}
