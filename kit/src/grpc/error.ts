import http2 from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";

const {
  NGHTTP2_REFUSED_STREAM,
  NGHTTP2_ENHANCE_YOUR_CALM,
  NGHTTP2_INADEQUATE_SECURITY,
  NGHTTP2_HTTP_1_1_REQUIRED,
} = http2.constants;

/** What went wrong below gRPC; the `cause` of every {@link transportError}. */
class TransportFailure extends Error {
  readonly neverRan: boolean;
  readonly lostConnection: object | undefined;

  constructor(message: string, neverRan: boolean, cause: unknown, lostConnection?: object) {
    super(message, { cause });
    this.name = "TransportFailure";
    this.neverRan = neverRan;
    this.lostConnection = lostConnection;
  }
}

/** Codes of errors that come before a request leaves this process. */
const NEVER_RAN_CODES = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ERR_HTTP2_GOAWAY_SESSION",
]);

/** What connect-node reports a broken connection as. */
const STOCK_TRANSPORT_CODES = new Set([
  Code.Canceled,
  Code.Aborted,
  Code.Internal,
  Code.Unavailable,
]);
/** `ECONNRESET` and its like, and those of node's HTTP/2. */
const NODE_NETWORK_CODE = /^(E[A-Z]+|EAI_[A-Z]+|ERR_(HTTP2|STREAM|SOCKET)_\w+)$/;

/**
 * An `unavailable` that stems from the connection, not from an answer.
 * @param lostConnection stands for the connection, if it is gone and took other calls with it.
 */
export function transportError(
  message: string,
  ran: boolean,
  cause?: unknown,
  lostConnection?: object,
): ConnectError {
  const failure = new TransportFailure(message, !ran, cause, lostConnection);
  return new ConnectError(message, Code.Unavailable, undefined, undefined, failure);
}

/** True if the call failed below gRPC: connection refused, reset, silent or gone, stream refused. */
export function isTransportFailure(error: unknown): boolean {
  return transportFailureOf(error) !== undefined;
}

/**
 * True if the request provably reached no handler (connection refused, HTTP/2 REFUSED_STREAM, a stream
 * beyond a GOAWAY's last one), so that any method may be sent again.
 */
export function neverRan(error: unknown): boolean {
  return transportFailureOf(error)?.neverRan ?? false;
}

/** The same object for all calls that failed because one and the same connection was lost. */
export function lostConnectionOf(error: unknown): object | undefined {
  return transportFailureOf(error)?.lostConnection;
}

/**
 * What a reset of the stream by the other side means to the call.
 * @param lostConnection as for {@link transportError}.
 */
export function errorFromReset(
  rstCode: number,
  ran: boolean,
  cause?: unknown,
  lostConnection?: object,
): ConnectError {
  const message = `the stream was closed with HTTP/2 error code ${rstCode}`;
  switch (rstCode) {
    case NGHTTP2_REFUSED_STREAM:
      return transportError(message, false, cause);
    case NGHTTP2_ENHANCE_YOUR_CALM:
      return new ConnectError(message, Code.ResourceExhausted, undefined, undefined, cause);
    case NGHTTP2_INADEQUATE_SECURITY:
    case NGHTTP2_HTTP_1_1_REQUIRED:
      return new ConnectError(message, Code.PermissionDenied, undefined, undefined, cause);
    default:
      return transportError(message, ran, cause, lostConnection);
  }
}

/**
 * Gives a client's error its true meaning. A `canceled` that our own signal did not cause, and an
 * `aborted` or `internal` with a transport cause, is the upstream's failure: `unavailable`.
 * @param ownSignal the caller's signal, if the call had one.
 */
export function normalizeGrpcError(error: unknown, ownSignal: AbortSignal | undefined): unknown {
  if (!(error instanceof ConnectError) || isTransportFailure(error)) return error;
  if (error.isWireError) {
    const own = error.code !== Code.Canceled || ownSignal?.aborted;
    return own ? error : canceledByUpstream(error);
  }
  if (ownSignal?.aborted) return error;
  return stockTransportError(error) ?? error;
}

/** The upstream says `canceled`, but nobody here cancelled: it failed, whatever it says. */
function canceledByUpstream(error: ConnectError): ConnectError {
  const message = `the upstream cancelled the call: ${error.rawMessage}`;
  return new ConnectError(message, Code.Unavailable, error.metadata, undefined, error);
}

/** connect-node keeps node's error as the cause, or names the reset code in the message. */
function stockTransportError(error: ConnectError): ConnectError | undefined {
  const codes = [...causesOf(error)].map((cause) => String(cause.code));
  const reset = error.rawMessage.startsWith("http/2 stream closed with error code");
  const broken = codes.some((code) => NODE_NETWORK_CODE.test(code));
  if (!(reset || broken) || !STOCK_TRANSPORT_CODES.has(error.code)) return undefined;
  const refused = error.rawMessage.includes("REFUSED_STREAM");
  const ran = !refused && !codes.some((code) => NEVER_RAN_CODES.has(code));
  return transportError(error.rawMessage, ran, error.cause);
}

/** True for an error of the network below HTTP/2 that says no connection came to be. */
export function isConnectFailure(error: unknown): boolean {
  for (const { code } of causesOf(error)) if (NEVER_RAN_CODES.has(String(code))) return true;
  return false;
}

function transportFailureOf(error: unknown): TransportFailure | undefined {
  for (const cause of causesOf(error)) if (cause instanceof TransportFailure) return cause;
  return undefined;
}

function* causesOf(error: unknown): Generator<Error & { code?: unknown }> {
  for (let depth = 0; error instanceof Error && depth < 8; depth++) {
    yield error;
    error = error.cause;
  }
}
