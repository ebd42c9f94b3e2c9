import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import type { TokenVerifier } from "@3l1/kit/auth/access-token.ts";
import type { Caller } from "@3l1/kit/auth/caller.ts";
import { failure, reasonOf, retryAfterSecondsOf } from "@3l1/kit/rpc/failure.ts";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import type { CallMetadata } from "./caller-metadata.ts";
import type { RenewalOutcome } from "./edge-metrics.ts";
import { refreshTimeoutMs } from "./limits.ts";
import { invalidToken } from "./refusal.ts";

/** A session that goes on under a new access token. */
export interface Renewal {
  readonly token: string;
  readonly tokenExpiresInSeconds: number;
  readonly caller: Caller;
  /** The metadata of the answer: a new session key is in it, if it was time for one. */
  readonly header: Headers;
}

export interface RenewalRequest {
  readonly sessionKey: string;
  /** Whose the expired token was that came along; the session must be the same. */
  readonly expected: Caller | undefined;
  /** What goes along to the service, the session key included. */
  readonly header: CallMetadata;
}

/** Gets a new access token for a session key. */
export interface SessionRenewal {
  /**
   * @throws ConnectError `unauthenticated` when the session is no more, `unavailable` when nobody can
   * tell for now.
   */
  renew(request: RenewalRequest): Promise<Renewal>;
}

/**
 * Requests that come with the same cookie at the same time share one refresh. No client's leaving
 * ends it, since others may wait for it. An answer that is late is asked for once more: rotation
 * gives whoever asks again the same successor.
 *
 * @param onEnd told what became of each refresh
 */
export function createSessionRenewal(
  transport: Transport,
  verifier: TokenVerifier,
  onEnd: (outcome: RenewalOutcome) => void,
): SessionRenewal {
  const client = createClient(SessionService, transport);
  const underWay = new Map<string, Promise<Renewal>>();

  async function call({ expected, header }: RenewalRequest): Promise<Renewal> {
    let answer = new Headers();
    const { token, tokenExpiresInSeconds } = await client.refreshSession(
      {
        expectedUserId: expected?.userId ?? "",
        expectedSessionId: expected?.sessionId ?? "",
      },
      { headers: header, timeoutMs: refreshTimeoutMs, onHeader: (each) => (answer = each) },
    );
    const verdict = await verifier.verify(token);
    if (verdict.state !== "valid") throw unforeseen(new Error("the new access token is not valid"));
    return { token, tokenExpiresInSeconds, caller: verdict.token.caller, header: answer };
  }

  async function callTwice(request: RenewalRequest): Promise<Renewal> {
    try {
      const renewal = await call(request).catch((error) => {
        if (!isLate(error)) throw error;
        return call(request);
      });
      onEnd("renewed");
      return renewal;
    } catch (thrown) {
      const error = translate(thrown);
      onEnd(isRefusal(error) ? "refused" : "failed");
      throw error;
    }
  }

  return {
    renew(request) {
      const { sessionKey, expected } = request;
      const key = `${sessionKey} ${expected?.userId} ${expected?.sessionId}`;
      let renewal = underWay.get(key);
      if (renewal === undefined) {
        renewal = callTwice(request).finally(() => underWay.delete(key));
        underWay.set(key, renewal);
      }
      return renewal;
    },
  };
}

function isLate(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.DeadlineExceeded;
}

function isRefusal(error: unknown): boolean {
  return error instanceof ConnectError && error.code === Code.Unauthenticated;
}

/** What may pass by itself. Anything else, a wrong credential for one, needs somebody to look. */
const passing: ReadonlySet<Code> = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.DeadlineExceeded,
  Code.ResourceExhausted,
  Code.Unavailable,
]);

/** Only the user-service may say that a session is over, and whatever it says of us is not for the client. */
function translate(error: unknown): unknown {
  if (!(error instanceof ConnectError)) return error;
  if (error.code === Code.Unauthenticated) return invalidToken("the session is over, log in again");
  if (!passing.has(error.code)) return unforeseen(error);
  const reason = reasonOf(error);
  const retryAfterMs = (retryAfterSecondsOf(error) ?? 1) * 1000;
  return failure(Code.Unavailable, "the session cannot be renewed now", reason, retryAfterMs);
}

function unforeseen(cause: Error): ConnectError {
  return new ConnectError(
    "the session was not renewed",
    Code.Internal,
    undefined,
    undefined,
    cause,
  );
}

/** Signing keys that cannot be had: nobody can tell a good token from a bad one for now. */
export function signingKeysUnavailable(): ConnectError {
  const message = "the signing keys cannot be had";
  return failure(Code.Unavailable, message, Reason.SIGNING_KEYS_UNAVAILABLE, 1000);
}
