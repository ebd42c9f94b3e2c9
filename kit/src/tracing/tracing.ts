import type { Logger } from "../logger.ts";

/** Which side of a call a span is about. */
export type SpanKind = "server" | "client";

/**
 * What a span tells, by the names of OpenTelemetry's conventions. Templates, names and codes alone:
 * never what a client sent, nor a parameter of a query.
 */
export type SpanAttributes = Readonly<Record<string, string | number>>;

/** How a span ended. */
export interface SpanEnd {
  /** Shown as an error. Default false. */
  readonly failed?: boolean;
  readonly attributes?: SpanAttributes;
}

/** A span that is recorded, and not ended yet. */
export interface Span {
  /** The context for whatever is done on its behalf (W3C Trace Context). */
  readonly traceparent: string;
  event(name: string): void;
  end(end?: SpanEnd): void;
}

/** Records spans and sends them to a collector. Where there is none of it, tracing is off. */
export interface Tracing {
  /** Starts a span below another. Nothing if its trace is not recorded: the parent decides. */
  start(kind: SpanKind, name: string, parent: string, is?: SpanAttributes): Span | undefined;
  /** Starts a trace, or not: ten a second at most. */
  startRoot(kind: SpanKind, name: string, is?: SpanAttributes): Span | undefined;
  /** Runs something inside a span, which {@link current} is then, however long it waits. */
  run<T>(span: Span, inside: () => T): T;
  /** The span of {@link run}. */
  current(): Span | undefined;
  /** Sends what there is, within 2 s. */
  close(): Promise<void>;
}

export interface TracingOptions {
  /** Name of the process, for `service.name`. */
  readonly name: string;
  /** Base address of a collector that takes OTLP over HTTP, without `/v1/traces`. Empty: off. */
  readonly endpoint: string;
  readonly logger: Logger;
}

/** Loads what tracing needs only when it is on: the SDK takes time to load and memory to hold. */
export async function startTracing(options: TracingOptions): Promise<Tracing | undefined> {
  if (options.endpoint === "") return undefined;
  const { startOtlpTracing } = await import("./otlp-tracing.ts");
  return startOtlpTracing(options);
}
