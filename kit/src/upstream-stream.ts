import { ConnectError, type StreamResponse, type Transport } from "@connectrpc/connect";
import type { Permit } from "./breaker.ts";
import { outcomeOf } from "./outcome.ts";
import { breakerOpen, callerLeft, overloaded } from "./rejection.ts";
import { maxStreams } from "./resilience-constants.ts";
import { settle, type UpstreamParts } from "./upstream-parts.ts";

/**
 * Streams to an upstream. They may last for hours, so they have a bound of their own beside that of the
 * unary calls, no deadline but the caller's, and tell the breaker about their start alone. They are not
 * retried: whoever watches knows where to go on.
 */
export class UpstreamStreams {
  readonly #parts: UpstreamParts;
  #open = 0;

  constructor(parts: UpstreamParts) {
    this.#parts = parts;
  }

  /** Streams that have begun, or are about to, and have not ended. */
  get open(): number {
    return this.#open;
  }

  /** For a transport. */
  readonly stream: Transport["stream"] = async (method, signal, ...rest) => {
    if (signal?.aborted) throw callerLeft(signal);
    const permit = this.#askBreaker();
    const leave = this.#enter(signal);
    try {
      const answer = await this.#start(permit, signal, () =>
        this.#parts.wire.stream(method, signal, ...rest),
      );
      return { ...answer, message: untilEnd(answer.message, leave) } as typeof answer;
    } catch (error) {
      leave();
      throw error;
    }
  };

  #askBreaker(): Permit {
    const { breaker, metrics, name, random, timeoutMs } = this.#parts;
    if (this.#open >= maxStreams) {
      metrics.overloaded();
      throw overloaded(name, random());
    }
    const permit = breaker.acquire(timeoutMs);
    if (permit !== undefined) return permit;
    metrics.rejected();
    throw breakerOpen(name, breaker.openForMs, random());
  }

  /** Counts the stream until it ends or its caller leaves. */
  #enter(signal: AbortSignal | undefined): () => void {
    this.#open++;
    let open = true;
    const leave = () => {
      if (open) this.#open--;
      open = false;
      signal?.removeEventListener("abort", leave);
    };
    signal?.addEventListener("abort", leave);
    return leave;
  }

  async #start<T>(
    permit: Permit,
    signal: AbortSignal | undefined,
    begin: () => Promise<T>,
  ): Promise<T> {
    const { timeoutMs } = this.#parts;
    // A server may send its headers with the first message: one that is silent has nothing to tell yet,
    // and says nothing about itself.
    const silent = () => settle(this.#parts, permit, "neutral", false);
    const timer = setTimeout(silent, timeoutMs).unref();
    try {
      const answer = await begin();
      settle(this.#parts, permit, "success", false);
      return answer;
    } catch (thrown) {
      const error = ConnectError.from(thrown);
      // Nor does a caller's deadline that passes meanwhile, hence no time that the upstream had.
      settle(this.#parts, permit, outcomeOf(error, { tookMs: 0, timeoutMs }, signal), false);
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

async function* untilEnd(
  messages: StreamResponse["message"],
  leave: () => void,
): StreamResponse["message"] {
  try {
    yield* messages;
  } finally {
    leave();
  }
}
