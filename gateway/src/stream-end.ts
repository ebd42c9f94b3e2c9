import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import type { Revocations } from "@3l1/kit/auth/revocations.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { Code } from "@connectrpc/connect";
import { holdMs, lameDuckMs, revocationCheckMs } from "./limits.ts";
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

/**
 * Aborted when the caller's token is revoked: a stream must not outlive its session. Revocations are
 * forgotten with the tokens that they concern, so it is not enough to look when there is a message.
 */
export function revocationOf(
  caller: Caller | undefined,
  revocations: Pick<Revocations, "isRevoked">,
): DisposableSignal {
  const controller = new AbortController();
  const check = () => {
    if (caller !== undefined && revocations.isRevoked(caller))
      controller.abort(invalidToken("the access token has been revoked"));
  };
  const timer = setInterval(check, revocationCheckMs).unref();
  return { signal: controller.signal, [Symbol.dispose]: () => clearInterval(timer) };
}
