import { AsyncLocalStorage } from "node:async_hooks";
import {
  ROOT_CONTEXT,
  type Span as SdkSpan,
  SpanKind as SdkSpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, type SpanExporter, TracerProvider } from "@opentelemetry/sdk-trace";
import { briefError } from "../logged-error.ts";
import type { Logger } from "../logger.ts";
import { createRootSampling } from "./root-sampling.ts";
import { isSampled } from "./traceparent.ts";
import type {
  Span,
  SpanAttributes,
  SpanEnd,
  SpanKind,
  Tracing,
  TracingOptions,
} from "./tracing.ts";

/** Spans that wait at most, some 2 MiB. What finds no room is dropped: requests never wait for a collector. */
const maxQueuedSpans = 2_048;
/** Spans that are sent in one piece. */
const maxBatchedSpans = 512;
/** How long a span waits for others to be sent with. */
const lingerMs = 1_000;
/** A collector that needs longer is given up, and the spans with it. */
const exportTimeoutMs = 3_000;
/** How long the end of the process waits for a collector. */
const flushTimeoutMs = 2_000;

const kinds = { server: SdkSpanKind.SERVER, client: SdkSpanKind.CLIENT };

/** Tracing by OpenTelemetry's SDK, without its globals, its own samplers and its instrumentations. */
export function startOtlpTracing({ name, endpoint, logger }: TracingOptions): Tracing {
  const exporter = new OTLPTraceExporter({
    url: `${endpoint.replace(/\/+$/, "")}/v1/traces`,
    timeoutMillis: exportTimeoutMs,
  });
  const processor = new BatchSpanProcessor({
    exporter: toldInLog(exporter, logger),
    maxQueueSize: maxQueuedSpans,
    maxExportBatchSize: maxBatchedSpans,
    scheduledDelayMillis: lingerMs,
    exportTimeoutMillis: exportTimeoutMs,
  });
  const resource = defaultResource().merge(resourceFromAttributes({ "service.name": name }));
  const provider = new TracerProvider({ resource, spanProcessors: [processor] });
  const tracer = provider.getTracer("3l1");
  const inside = new AsyncLocalStorage<Span>();
  const samplesRoot = createRootSampling(() => performance.now());
  const start = (kind: SpanKind, spanName: string, attributes: SpanAttributes, parent?: string) => {
    const context = parent === undefined ? ROOT_CONTEXT : contextOf(parent);
    return spanOf(tracer.startSpan(spanName, { kind: kinds[kind], attributes }, context));
  };
  return {
    start: (kind, spanName, parent, is = {}) =>
      isSampled(parent) ? start(kind, spanName, is, parent) : undefined,
    startRoot: (kind, spanName, is = {}) => (samplesRoot() ? start(kind, spanName, is) : undefined),
    run: (span, work) => inside.run(span, work),
    current: () => inside.getStore(),
    close: () => atMost(flushTimeoutMs, provider.shutdown()),
  };
}

function contextOf(traceparent: string) {
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: TraceFlags.SAMPLED,
    isRemote: true,
  });
}

function spanOf(span: SdkSpan): Span {
  const { traceId, spanId } = span.spanContext();
  return {
    traceparent: `00-${traceId}-${spanId}-01`,
    event: (name) => void span.addEvent(name),
    end({ failed = false, attributes }: SpanEnd = {}) {
      if (attributes !== undefined) span.setAttributes(attributes);
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
      span.end();
    },
  };
}

/** Tells once that a collector is away, and once that it is back. */
function toldInLog(exporter: SpanExporter, logger: Logger): SpanExporter {
  let away = false;
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        const failed = result.code !== 0;
        if (failed && !away)
          logger.warn({ err: briefError(result.error) }, "traces do not reach their collector");
        if (!failed && away) logger.info("traces reach their collector again");
        away = failed;
        done(result);
      });
    },
    shutdown: () => exporter.shutdown(),
  };
}

/** What fails meanwhile has been logged, and keeps no process from ending. */
async function atMost(timeoutMs: number, work: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, timeoutMs);
  await Promise.race([work.catch(() => {}), promise]);
  clearTimeout(timer);
}
