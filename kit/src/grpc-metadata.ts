import type { IncomingHttpHeaders, OutgoingHttpHeaders } from "node:http2";

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
  "host",
  "http2-settings",
  "keep-alive",
  "proxy-connection",
  "transfer-encoding",
  "upgrade",
]);

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

/** Adds metadata to a raw header list (name, value, name, value …), less the reserved names. */
export function appendMetadata(rawHeaders: string[], metadata: Headers): void {
  metadata.forEach((value, name) => {
    if (!RESERVED.has(name)) rawHeaders.push(name, value);
  });
}

/** Metadata as an object, less the reserved names. */
export function metadataObject(metadata: Headers): OutgoingHttpHeaders {
  const object: Record<string, string[]> = {};
  metadata.forEach((value, name) => {
    if (RESERVED.has(name)) return;
    object[name] ??= [];
    object[name].push(value);
  });
  return object;
}
