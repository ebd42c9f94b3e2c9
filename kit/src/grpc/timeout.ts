import { Code, ConnectError } from "@connectrpc/connect";

const UNIT_MS: Record<string, number> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** The header holds at most eight digits. */
const MAX_VALUE = 99_999_999;

/** The longest delay that `setTimeout` takes; more would fire at once. */
const MAX_TIMER_MS = 0x7fff_ffff;

/**
 * A deadline as the `grpc-timeout` header, rounded up to whole milliseconds, from about 27 hours on to
 * seconds. See "Timeout" in gRPC's PROTOCOL-HTTP2.
 */
export function encodeGrpcTimeout(timeoutMs: number): string {
  const wholeMs = Math.max(1, Math.ceil(timeoutMs));
  if (wholeMs <= MAX_VALUE) return `${wholeMs}m`;
  return `${Math.min(MAX_VALUE, Math.ceil(wholeMs / 1000))}S`;
}

/**
 * Milliseconds of a `grpc-timeout` header, `undefined` if there is none.
 * @throws ConnectError `invalid_argument` if it is malformed.
 */
export function parseGrpcTimeout(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const timeoutMs = timeoutMsOf(value);
  if (timeoutMs !== undefined) return timeoutMs;
  const message = `protocol error: invalid grpc timeout value: ${value}`;
  throw new ConnectError(message, Code.InvalidArgument);
}

/** Milliseconds of a `grpc-timeout` header, `undefined` if it is malformed. */
export function timeoutMsOf(value: string): number | undefined {
  const unitMs = UNIT_MS[value.at(-1) ?? ""];
  const digits = value.slice(0, -1);
  return unitMs === undefined || !/^\d{1,8}$/.test(digits) ? undefined : Number(digits) * unitMs;
}

/** Runs the callback when the deadline passes. A deadline beyond 24 days is none. */
export function startDeadlineTimer(
  timeoutMs: number,
  onDeadline: () => void,
): NodeJS.Timeout | undefined {
  if (timeoutMs > MAX_TIMER_MS) return undefined;
  return setTimeout(onDeadline, Math.ceil(timeoutMs));
}

/** What a call fails with when its deadline passes. */
export function deadlineExceeded(): ConnectError {
  return new ConnectError("the operation timed out", Code.DeadlineExceeded);
}
