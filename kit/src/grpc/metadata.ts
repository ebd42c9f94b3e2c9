import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { receivedHeaders } from "../rpc/received-headers.ts";

/** What `Headers` can be made of. */
export type HeadersInit = NonNullable<ConstructorParameters<typeof Headers>[0]>;

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

/** A value that `Headers` would take as it is. */
const PLAIN_VALUE = /^(?:[!-~](?:[ -~]*[!-~])?)?$/;
/** A name that `Headers` would take as it is. */
const PLAIN_NAME = /^[a-z0-9!#$%&'*+.^_`|~-]+$/;

/**
 * Metadata as a raw header list (name, value, name, value …), less the reserved names.
 * @throws ConnectError `resource_exhausted` above {@link MAX_METADATA_BYTES}.
 */
export function rawMetadata(metadata: Headers): string[] {
  const rawHeaders: string[] = [];
  metadata.forEach((value, name) => {
    if (!RESERVED.has(name)) rawHeaders.push(name, value);
  });
  return bounded(rawHeaders);
}

/**
 * The same for an object, without the way over `Headers`, which costs more than the rest of a small call.
 * @returns `undefined` if `Headers` would have to look at it: an unusual name or value.
 * @throws ConnectError `resource_exhausted` above {@link MAX_METADATA_BYTES}.
 */
export function plainRawMetadata(metadata: HeadersInit): string[] | undefined {
  if (Symbol.iterator in metadata) return undefined;
  const rawHeaders: string[] = [];
  for (const name of Object.keys(metadata)) {
    const value: unknown = metadata[name];
    if (typeof value !== "string") return undefined;
    if (!PLAIN_NAME.test(name) || !PLAIN_VALUE.test(value)) return undefined;
    if (!RESERVED.has(name)) rawHeaders.push(name, value);
  }
  return bounded(rawHeaders);
}

function bounded(rawHeaders: string[]): string[] {
  let bytes = 0;
  for (const text of rawHeaders) bytes += text.length;
  bytes += (rawHeaders.length / 2) * HEADER_OVERHEAD_BYTES;
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
    this.#header ??= receivedHeaders(this.#receivedHeader);
    return this.#header;
  }

  get trailer(): Headers {
    this.#trailer ??= receivedHeaders(this.#receivedTrailer);
    return this.#trailer;
  }
}
