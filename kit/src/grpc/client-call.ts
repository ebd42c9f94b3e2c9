import {
  Code,
  ConnectError,
  type ContextValues,
  createContextValues,
  type UnaryRequest,
} from "@connectrpc/connect";
import { type HeadersInit, plainRawMetadata, rawMetadata } from "./metadata.ts";
import { deadlineExceeded, startDeadlineTimer } from "./timeout.ts";

const NO_METADATA: readonly string[] = [];

/** What becomes of a signal when its call has ended well; a fixed reason, since a fresh one costs more. */
const ended = new ConnectError("the call has ended", Code.Canceled);

/**
 * What belongs to one unary call of a client, however often interceptors send it. Headers, values and
 * the signal are made when someone looks at them.
 */
export class ClientCall {
  /** The caller's own signal. */
  readonly callerSignal: AbortSignal | undefined;
  /** On `performance.now()`'s clock; `undefined` without a deadline. */
  readonly deadlineAtMs: number | undefined;
  /** The request as interceptors get it first. */
  request: UnaryRequest | undefined;
  readonly #init: HeadersInit | undefined;
  #header: Headers | undefined;
  #values: ContextValues | undefined;
  #controller: AbortController | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onAbort: (() => void) | undefined;

  /** @param timeoutMs none if it is not above zero, as the Transport interface has it. */
  constructor(
    callerSignal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    header: HeadersInit | undefined,
    values: ContextValues | undefined,
  ) {
    this.callerSignal = callerSignal;
    const hasDeadline = timeoutMs !== undefined && timeoutMs > 0;
    this.deadlineAtMs = hasDeadline ? performance.now() + timeoutMs : undefined;
    this.#init = header;
    this.#values = values;
  }

  /** Request metadata; interceptors may change it. */
  get header(): Headers {
    this.#header ??= new Headers(this.#init);
    return this.#header;
  }

  get contextValues(): ContextValues {
    this.#values ??= createContextValues();
    return this.#values;
  }

  /** Aborted by the caller, by the deadline and when the call has ended. */
  get signal(): AbortSignal {
    this.#controller ??= this.#link();
    return this.#controller.signal;
  }

  /** Request metadata as a raw header list. */
  get metadata(): readonly string[] {
    if (this.#header !== undefined) return rawMetadata(this.#header);
    if (this.#init === undefined) return NO_METADATA;
    if (this.#init instanceof Headers) return rawMetadata(this.#init);
    return plainRawMetadata(this.#init) ?? rawMetadata(this.header);
  }

  /** The call has ended well. */
  succeed(): void {
    this.#unlink();
    this.#controller?.abort(ended);
  }

  /** The call has failed; returns what it failed with. An aborted signal tells more than what came of it. */
  fail(error: unknown): ConnectError {
    this.#unlink();
    const signal = this.#controller?.signal ?? this.callerSignal;
    const reason = signal?.aborted
      ? ConnectError.from(signal.reason, Code.Canceled)
      : ConnectError.from(error);
    this.#controller?.abort(reason);
    return reason;
  }

  #link(): AbortController {
    const controller = new AbortController();
    const { callerSignal, deadlineAtMs } = this;
    if (callerSignal !== undefined) {
      const onAbort = () => controller.abort(callerSignal.reason);
      if (callerSignal.aborted) onAbort();
      callerSignal.addEventListener("abort", onAbort);
      this.#onAbort = onAbort;
    }
    if (deadlineAtMs !== undefined) {
      const leftMs = deadlineAtMs - performance.now();
      this.#timer = startDeadlineTimer(leftMs, () => controller.abort(deadlineExceeded()));
    }
    return controller;
  }

  #unlink(): void {
    clearTimeout(this.#timer);
    if (this.#onAbort !== undefined) {
      this.callerSignal?.removeEventListener("abort", this.#onAbort);
    }
  }
}
