import { ConnectError, type StreamResponse, type Transport } from "@connectrpc/connect";
import { AttemptSpans } from "../tracing/trace-client-calls.ts";
import type { Permit } from "./breaker.ts";
import type { Outcome } from "./breaker-circuit.ts";
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
  readonly #max: number;
  #open = 0;

  constructor(parts: UpstreamParts, max = maxStreams) {
    this.#parts = parts;
    this.#max = max;
  }

  /** Streams that have begun, or are about to, and have not ended. */
  get open(): number {
    return this.#open;
  }

  /** For a transport. */
  readonly stream: Transport["stream"] = (method, signal, timeoutMs, header, ...rest) => {
    const send = (sent: typeof header) =>
      this.#parts.wire.stream(method, signal, timeoutMs, sent, ...rest);
    const spans = AttemptSpans.of(this.#parts.tracing, method, header);
    if (spans === undefined) return this.#start(signal, () => send(header));
    return spans.watch(this.#start(signal, () => spans.open(send)));
  };

  async #start<T extends StreamResponse>(
    signal: AbortSignal | undefined,
    send: () => Promise<T>,
  ): Promise<T> {
    if (signal?.aborted) throw callerLeft(signal);
    const start = new StreamStart(this.#parts, this.#askBreaker(), signal);
    const leave = this.#enter(signal);
    try {
      const answer = await send();
      start.answered();
      return { ...answer, message: follow(answer.message, start, leave) };
    } catch (error) {
      start.failed(error);
      leave();
      throw error;
    }
  }

  #askBreaker(): Permit {
    const { breaker, metrics, name, random, timeoutMs } = this.#parts;
    if (this.#open >= this.#max) {
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
}

/**
 * Tells the breaker how a stream began, which is known with its first message or its end. Headers alone
 * don't say it: a server may send them late, with the first message, or early, before it refuses.
 */
class StreamStart {
  readonly #parts: UpstreamParts;
  readonly #permit: Permit;
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout;
  #hasAnswered = false;

  constructor(parts: UpstreamParts, permit: Permit, signal: AbortSignal | undefined) {
    this.#parts = parts;
    this.#permit = permit;
    this.#signal = signal;
    const silent = () => this.#settle(this.#hasAnswered ? "success" : "neutral");
    this.#timer = setTimeout(silent, parts.timeoutMs).unref();
  }

  /** The upstream has taken the stream, so far. */
  answered(): void {
    this.#hasAnswered = true;
  }

  succeeded(): void {
    this.#settle("success");
  }

  failed(error: unknown): void {
    // Whoever has nothing to tell lets a caller's deadline pass and is not to blame, hence no time.
    const timing = { tookMs: 0, timeoutMs: this.#parts.timeoutMs };
    this.#settle(outcomeOf(ConnectError.from(error), timing, this.#signal));
  }

  #settle(outcome: Outcome): void {
    clearTimeout(this.#timer);
    settle(this.#parts, this.#permit, outcome, false);
  }
}

async function* follow(
  messages: StreamResponse["message"],
  start: StreamStart,
  leave: () => void,
): StreamResponse["message"] {
  try {
    for await (const message of messages) {
      start.succeeded();
      yield message;
    }
    start.succeeded();
  } catch (error) {
    start.failed(error);
    throw error;
  } finally {
    leave();
  }
}
