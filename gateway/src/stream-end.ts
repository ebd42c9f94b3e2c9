import type { ServerResponse } from "node:http";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { Code } from "@connectrpc/connect";
import { holdMs, lameDuckMs, revocationCheckMs, slowClientMs } from "./limits.ts";
import { invalidToken } from "./refusal.ts";

/**
 * Aborted with REASON_DRAINING once the port is closed: whoever watched comes back, and finds another
 * process. Before that it would find this one.
 *
 * @param ending aborted once the process is told to end
 */
export function endOfStreams(ending: AbortSignal, afterMs = lameDuckMs + holdMs): AbortSignal {
  const controller = new AbortController();
  const end = () =>
    controller.abort(
      failure(Code.Unavailable, "the process is ending, connect again", Reason.DRAINING, 0),
    );
  ending.addEventListener("abort", () => setTimeout(end, afterMs).unref(), { once: true });
  return controller.signal;
}

/** A signal that has to be let go. */
export interface DisposableSignal extends Disposable {
  readonly signal: AbortSignal;
}

export interface StreamGuardOptions {
  /** Whose token opened the stream. */
  readonly caller: Caller | undefined;
  readonly revocations: Pick<Revocations, "isRevoked">;
  /** What the stream is written to. */
  readonly response: ServerResponse;
  /** Told when the client is cut. */
  readonly onCut?: () => void;
  /** See {@link slowClientMs}. */
  readonly slowMs?: number;
  /** Aborted when nothing more is to come, as when the process ends. */
  readonly over?: AbortSignal;
  /** How long a client that takes nothing has for the rest of what is over. Default 2 s. */
  readonly lastWordMs?: number;
  readonly checkMs?: number;
}

/**
 * Aborted when the caller's token is revoked or expires: a stream must not outlive its session. A client
 * that does not read is cut. Revocations are forgotten with the tokens that they concern, and a client
 * may hang at any time, so it is not enough to look when there is a message.
 */
export function guardStream(options: StreamGuardOptions): DisposableSignal {
  const { caller, revocations, response, onCut } = options;
  const { over, slowMs = slowClientMs, lastWordMs = 2_000, checkMs = revocationCheckMs } = options;
  const controller = new AbortController();
  const patienceMs = () => (over?.aborted ? Math.min(slowMs, lastWordMs) : slowMs);
  let blockedSinceMs: number | undefined;
  const check = () => {
    if (caller !== undefined && revocations.isRevoked(caller))
      controller.abort(invalidToken("the access token has been revoked"));
    else if (caller !== undefined && caller.expiresAtMs <= Date.now())
      controller.abort(invalidToken("the access token has expired"));
    const nowMs = performance.now();
    blockedSinceMs = response.writableNeedDrain ? (blockedSinceMs ?? nowMs) : undefined;
    if (blockedSinceMs === undefined || nowMs - blockedSinceMs < patienceMs()) return;
    clearInterval(timer);
    response.destroy();
    onCut?.();
  };
  const timer = setInterval(check, checkMs).unref();
  return { signal: controller.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
