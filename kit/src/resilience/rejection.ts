import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { failure } from "../rpc/failure.ts";
import { rejectionRules } from "./resilience-constants.ts";

/**
 * `unavailable` with REASON_BREAKER_OPEN, before anything was sent.
 * @param openForMs how long the breaker stays open yet; 0 while it tries a few calls.
 * @param random a number in [0, 1), to spread those who come back.
 */
export function breakerOpen(upstream: string, openForMs: number, random: number): ConnectError {
  const message = `${upstream} keeps failing and is left alone for a while`;
  return failure(Code.Unavailable, message, Reason.BREAKER_OPEN, retryAfterMs(openForMs, random));
}

/**
 * `unavailable` with REASON_OVERLOADED, before anything was sent.
 * @param random a number in [0, 1), to spread those who come back.
 */
export function overloaded(upstream: string, random: number): ConnectError {
  const message = `${upstream} has too much to do`;
  return failure(Code.Unavailable, message, Reason.OVERLOADED, retryAfterMs(0, random));
}

/** What a call fails with whose caller left: the signal's own reason, or `canceled`. */
export function callerLeft(signal: AbortSignal): ConnectError {
  return ConnectError.from(signal.reason, Code.Canceled);
}

/** `deadline_exceeded`, before anything was sent. */
export function tooLate(): ConnectError {
  return new ConnectError("the deadline passed before the call was sent", Code.DeadlineExceeded);
}

function retryAfterMs(atLeastMs: number, random: number): number {
  const { retryAfterMs, jitterMs } = rejectionRules;
  return Math.round(Math.max(retryAfterMs, atLeastMs) + random * jitterMs);
}
