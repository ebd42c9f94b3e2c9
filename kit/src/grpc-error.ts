import { Code, ConnectError } from "@connectrpc/connect";

/** What went wrong below gRPC, and whether the request can have reached a handler. */
class TransportFailure extends Error {
  readonly neverRan: boolean;
  constructor(message: string, neverRan: boolean, cause?: unknown) {
    super(message, { cause });
    this.name = "TransportFailure";
    this.neverRan = neverRan;
  }
}

const NEVER_RAN = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "ERR_HTTP2_GOAWAY_SESSION"]);

function* causes(error: unknown): Generator<Error & { code?: unknown }> {
  for (let depth = 0; error instanceof Error && depth < 8; depth++) {
    yield error;
    error = error.cause;
  }
}

/** An `unavailable` that stems from the connection, not from an answer. */
export function transportError(message: string, neverRan: boolean, cause?: unknown): ConnectError {
  const failure = new TransportFailure(message, neverRan, cause);
  return new ConnectError(message, Code.Unavailable, undefined, undefined, failure);
}

/** True if the call failed below gRPC: connection refused, reset, gone, stream refused. */
export function isTransportFailure(error: unknown): boolean {
  for (const cause of causes(error)) if (cause instanceof TransportFailure) return true;
  return false;
}

/** True if the request provably reached no handler, so that any method may be sent again. */
export function neverRan(error: unknown): boolean {
  for (const cause of causes(error)) {
    if (cause instanceof TransportFailure) return cause.neverRan;
    if (typeof cause.code === "string" && NEVER_RAN.has(cause.code)) return true;
  }
  return false;
}
