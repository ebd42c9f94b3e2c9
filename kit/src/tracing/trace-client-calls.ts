import { Reason, ReasonSchema } from "@3l1/gen/platform/v1/error_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { ConnectError, type StreamResponse, type Transport } from "@connectrpc/connect";
import { reasonOf } from "../rpc/failure.ts";
import { metadata } from "../rpc/metadata.ts";
import { callAttributes, callEnd, callName, untilEnd } from "./call-span.ts";
import { isSampled } from "./traceparent.ts";
import type { Span, Tracing } from "./tracing.ts";

type Header = Parameters<Transport["unary"]>[3];

/** The spans of one call of a client: one for each attempt, below the `traceparent` of its metadata. */
export class AttemptSpans {
  readonly #tracing: Tracing;
  readonly #method: DescMethod;
  readonly #header: Header;
  readonly #parent: string;
  #attempts = 0;

  constructor(tracing: Tracing, method: DescMethod, header: Header, parent: string) {
    this.#tracing = tracing;
    this.#method = method;
    this.#header = header;
    this.#parent = parent;
  }

  /** Nothing where tracing is off, or this trace is not recorded. */
  static of(
    tracing: Tracing | undefined,
    method: DescMethod,
    header: Header,
  ): AttemptSpans | undefined {
    if (tracing === undefined) return undefined;
    const parent = new Headers(header).get(metadata.traceparent) ?? "";
    return isSampled(parent) ? new AttemptSpans(tracing, method, header, parent) : undefined;
  }

  /** Sends the call once, with the attempt's own context. */
  async send<T>(attempt: (header: Header) => Promise<T>): Promise<T> {
    const span = this.#start(this.#attempts++);
    if (span === undefined) return attempt(this.#header);
    try {
      const answer = await attempt(this.#headerFor(span));
      span.end(callEnd());
      return answer;
    } catch (error) {
      span.end(callEnd(error));
      throw error;
    }
  }

  /** The same for a stream, whose span ends with its messages. */
  async open<T extends StreamResponse>(attempt: (header: Header) => Promise<T>): Promise<T> {
    const span = this.#start(this.#attempts++);
    if (span === undefined) return attempt(this.#header);
    try {
      const answer = await attempt(this.#headerFor(span));
      const ended = (error?: unknown) => span.end(callEnd(error));
      return { ...answer, message: untilEnd(answer.message, ended) };
    } catch (error) {
      span.end(callEnd(error));
      throw error;
    }
  }

  /** Shows also what turned the call away before it was sent at all: a breaker, a full queue. */
  async watch<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      if (this.#attempts === 0) this.#refused(error);
      throw error;
    }
  }

  #refused(error: unknown): void {
    const reason = error instanceof ConnectError ? reasonOf(error) : Reason.UNSPECIFIED;
    if (reason === Reason.UNSPECIFIED) return;
    const span = this.#start(0);
    span?.event((ReasonSchema.value[reason]?.localName ?? "").toLowerCase());
    span?.end(callEnd(error));
  }

  #start(retry: number): Span | undefined {
    const retries = retry > 0 ? { "rpc.retry": retry } : {};
    const attributes = { ...callAttributes(this.#method), ...retries };
    return this.#tracing.start("client", callName(this.#method), this.#parent, attributes);
  }

  #headerFor({ traceparent }: Span): Header {
    const header = new Headers(this.#header);
    header.set(metadata.traceparent, traceparent);
    return header;
  }
}
