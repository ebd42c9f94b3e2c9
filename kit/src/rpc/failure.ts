import { type ErrorInfo, ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";

/** An error with a reason, and where it is known with the time after which another try makes sense. */
export function failure(
  code: Code,
  message: string,
  reason: Reason,
  retryAfterMs?: number,
): ConnectError {
  const value =
    retryAfterMs === undefined ? { reason } : { reason, retryAfter: duration(retryAfterMs) };
  return new ConnectError(message, code, undefined, [{ desc: ErrorInfoSchema, value }]);
}

/** The reason that an error carries, {@link Reason.UNSPECIFIED} if none. */
export function reasonOf(error: ConnectError): Reason {
  return errorInfoOf(error)?.reason ?? Reason.UNSPECIFIED;
}

/** The detail that an error carries, `undefined` if none. */
export function errorInfoOf(error: ConnectError): ErrorInfo | undefined {
  return error.findDetails(ErrorInfoSchema)[0];
}

/** In whole seconds, rounded up, after which another try makes sense; `undefined` if not known. */
export function retryAfterSecondsOf(error: ConnectError): number | undefined {
  const after = errorInfoOf(error)?.retryAfter;
  return after && Number(after.seconds) + (after.nanos > 0 ? 1 : 0);
}

/** PostgreSQL did not answer, or refused the connection. */
export function databaseUnavailable(): ConnectError {
  const message = "the database is not available";
  return failure(Code.Unavailable, message, Reason.DATABASE_UNAVAILABLE, 1000);
}

/** Redis did not answer, or refused the connection. */
export function sessionStoreUnavailable(): ConnectError {
  const message = "the session store is not available";
  return failure(Code.Unavailable, message, Reason.SESSION_STORE_UNAVAILABLE, 1000);
}

function duration(ms: number): Duration {
  const seconds = Math.floor(ms / 1000);
  const nanos = Math.round((ms - seconds * 1000) * 1e6);
  return create(DurationSchema, { seconds: BigInt(seconds), nanos });
}
