import type { OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { setTrailerStatus } from "@connectrpc/connect/protocol-grpc";
import { metadataObject } from "./metadata.ts";

/** More would not fit a client's header limit, and the whole answer would be lost. */
const MAX_MESSAGE_BYTES = 4 * 1024;
const MAX_DETAILS_BYTES = 24 * 1024;

const OK_TRAILERS: OutgoingHttpHeaders = Object.freeze({ "grpc-status": "0" });

/**
 * Trailers of a call that went well.
 * @throws ConnectError `resource_exhausted` if there is too much metadata.
 */
export function okTrailers(metadata: Headers | undefined): OutgoingHttpHeaders {
  return metadata === undefined ? OK_TRAILERS : { ...metadataObject(metadata), ...OK_TRAILERS };
}

/** Trailers of a call that failed: status, message, details, and metadata as far as it fits. */
export function errorTrailers(
  error: ConnectError,
  metadata: Headers | undefined,
): OutgoingHttpHeaders {
  const trailers = withStatus(error, metadata);
  const details = trailers.get("grpc-status-details-bin");
  const status = {
    "grpc-status": String(error.code),
    "grpc-message": encodeMessage(error.rawMessage),
    ...(details !== null &&
      details.length <= MAX_DETAILS_BYTES && { "grpc-status-details-bin": details }),
  };
  try {
    return { ...metadataObject(trailers), ...status };
  } catch {
    return status;
  }
}

/** What a handler did not mean for clients stays here. */
export function maskUnknown(reason: unknown): ConnectError {
  if (reason instanceof ConnectError) return reason;
  return new ConnectError("internal error", Code.Internal, undefined, undefined, reason);
}

function withStatus(error: ConnectError, metadata: Headers | undefined): Headers {
  const trailers = new Headers(metadata);
  try {
    return setTrailerStatus(trailers, error);
  } catch {
    // The message is not well-formed Unicode, or a detail cannot be written.
    return trailers;
  }
}

/**
 * Percent-encodes no more than must be, and cuts between two characters. Clients on grpc-js decode with
 * `decodeURI`, which would leave a `%3A` or `%2C` in what people read.
 */
function encodeMessage(message: string): string {
  let text = message.toWellFormed();
  if (encodeURI(text).length <= MAX_MESSAGE_BYTES) return encodeURI(text);
  text = text.slice(0, MAX_MESSAGE_BYTES / 4).toWellFormed();
  while (encodeURI(text).length > MAX_MESSAGE_BYTES) {
    text = text.slice(0, text.length >> 1).toWellFormed();
  }
  return encodeURI(text);
}
