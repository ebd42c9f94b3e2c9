import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, type ConnectError } from "@connectrpc/connect";
import { isTransportFailure } from "../grpc/error.ts";
import { reasonOf } from "../rpc/failure.ts";
import type { Outcome } from "./breaker-circuit.ts";
import { telltaleShareOfTimeout } from "./resilience-constants.ts";

/** How long a call took, and how long it might have taken. */
export interface Timing {
  /** Time that the upstream had, without any waiting on our side, in milliseconds. */
  readonly tookMs: number;
  /** Longest time that a call to the upstream may take, whatever its caller asked for. */
  readonly timeoutMs: number;
}

/** True if the upstream needed, or was given in vain, at least half of its timeout. */
export function tookLong({ tookMs, timeoutMs }: Timing): boolean {
  return tookMs >= timeoutMs * telltaleShareOfTimeout;
}

/**
 * What a failed call says about its upstream. Expects the errors of `createGrpcTransport`, which tell
 * an upstream's failure from our own cancel.
 *
 * Neutral is what must not shut out everybody else: a caller that left or was in a hurry, one that
 * asked too much, and a store that the upstream names as the one that is away.
 * Any other answer is a success of the upstream, if not of the call.
 */
export function outcomeOf(error: ConnectError, timing: Timing, signal?: AbortSignal): Outcome {
  if (error.code === Code.DeadlineExceeded) return tookLong(timing) ? "failure" : "neutral";
  if (signal?.aborted) return "neutral";
  if (error.code === Code.ResourceExhausted) return "neutral";
  if (isUnexplained(error)) return "failure";
  return error.code === Code.Unavailable ? "neutral" : "success";
}

/** True if the error says that the upstream has more to do than it can. */
export function isOverload(error: ConnectError, timing: Timing): boolean {
  if (error.code === Code.DeadlineExceeded) return tookLong(timing);
  return error.code === Code.Unavailable && reasonOf(error) === Reason.OVERLOADED;
}

/**
 * True if the upstream is not available and no handler says why: the connection failed, or the process
 * is starting, draining or broken. Another attempt may fare better.
 */
export function isUnexplained(error: ConnectError): boolean {
  if (isTransportFailure(error)) return true;
  if (error.code !== Code.Unavailable) return false;
  const reason = reasonOf(error);
  return reason === Reason.UNSPECIFIED || reason === Reason.DRAINING;
}
