import type { DescMethod } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { SpanAttributes, SpanEnd } from "./tracing.ts";

/** What a caller or a handler may answer on purpose: no fault of the service that does. */
const intended: ReadonlySet<Code> = new Set([
  Code.Canceled,
  Code.InvalidArgument,
  Code.NotFound,
  Code.AlreadyExists,
  Code.PermissionDenied,
  Code.ResourceExhausted,
  Code.FailedPrecondition,
  Code.Aborted,
  Code.OutOfRange,
  Code.Unauthenticated,
]);

/** Name of the span of a call, as OpenTelemetry has it. */
export function callName(method: DescMethod): string {
  return `${method.parent.typeName}/${method.name}`;
}

export function callAttributes(method: DescMethod): SpanAttributes {
  return { "rpc.system.name": "grpc", "rpc.method": callName(method) };
}

/** @param error what the call failed with; `undefined` if it did not */
export function callEnd(error?: unknown): SpanEnd {
  if (error === undefined) return { attributes: { "rpc.status_code": "OK" } };
  const { code } = ConnectError.from(error);
  const status = codeToString(code).toUpperCase();
  return { failed: !intended.has(code), attributes: { "rpc.status_code": status } };
}

/** The messages of a stream. Tells once how they ended; a reader that leaves ends them well. */
export async function* untilEnd<T>(
  messages: AsyncIterable<T>,
  ended: (error?: unknown) => void,
): AsyncIterable<T> {
  let failure: unknown;
  try {
    yield* messages;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    ended(failure);
  }
}
