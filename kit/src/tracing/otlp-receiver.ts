import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import protobuf from "protobufjs";

/** A span as it arrived. */
export interface ReceivedSpan {
  /** `service.name` of the process that sent it. */
  readonly service: string;
  readonly name: string;
  readonly kind: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for the first one of a trace. */
  readonly parentSpanId: string;
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly events: readonly string[];
  readonly failed: boolean;
}

/** A collector of traces for tests: OTLP over HTTP, in protobuf. */
export interface OtlpReceiver {
  /** For `OTEL_EXPORTER_OTLP_ENDPOINT`. */
  readonly url: string;
  /** All spans so far, in the order in which they came. */
  readonly spans: readonly ReceivedSpan[];
  /** All that was received, to look for what should not be there. */
  raw(): string;
  stop(): Promise<void>;
}

/** What we read of opentelemetry/proto/collector/trace/v1/trace_service.proto and what it imports. */
const schema = protobuf
  .parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { repeated Span spans = 2; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; }
  }
  message Span {
    enum Kind { UNSPECIFIED = 0; INTERNAL = 1; SERVER = 2; CLIENT = 3; PRODUCER = 4; CONSUMER = 5; }
    message Event { string name = 2; }
    message Status { int32 code = 3; }
    bytes trace_id = 1;
    bytes span_id = 2;
    bytes parent_span_id = 4;
    string name = 5;
    Kind kind = 6;
    repeated KeyValue attributes = 9;
    repeated Event events = 11;
    Status status = 15;
  }
`)
  .root.lookupType("Request");

interface Attribute {
  key: string;
  value: Record<string, string | number>;
}
type SpanMessage = {
  attributes: Attribute[];
  events: { name: string }[];
  status: { code: number } | null;
} & Record<"traceId" | "spanId" | "parentSpanId" | "name" | "kind", string>;
interface RequestMessage {
  resourceSpans: {
    resource: { attributes: Attribute[] };
    scopeSpans: { spans: SpanMessage[] }[];
  }[];
}

/** Starts a receiver on a free port. */
export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const bodies: Buffer[] = [];
  const server = createServer(async (request, response) => {
    const body = await buffer(request);
    const isTraces = request.method === "POST" && request.url === "/v1/traces";
    if (isTraces && request.headers["content-type"] === "application/x-protobuf") {
      bodies.push(body);
      spans.push(...decode(body));
      response.setHeader("content-type", "application/x-protobuf").end();
    } else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    raw: () => Buffer.concat(bodies).toString("latin1"),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function decode(body: Buffer): ReceivedSpan[] {
  const options = { bytes: String, enums: String, longs: Number, defaults: true, oneofs: true };
  const { resourceSpans } = schema.toObject(schema.decode(body), options) as RequestMessage;
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const service = String(attributesOf(resource.attributes)["service.name"]);
    return scopeSpans.flatMap(({ spans }) => spans.map((span) => ({ service, ...toSpan(span) })));
  });
}

function toSpan(span: SpanMessage): Omit<ReceivedSpan, "service"> {
  return {
    name: span.name,
    kind: span.kind,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    parentSpanId: hex(span.parentSpanId),
    attributes: attributesOf(span.attributes),
    events: span.events.map(({ name }) => name),
    failed: span.status?.code === 2,
  };
}

function attributesOf(attributes: readonly Attribute[]): Record<string, string | number> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plain(value)]));
}

/** The member of the union that was set. */
function plain({ value, ...members }: Attribute["value"]): string | number {
  return members[String(value)] ?? "";
}

function hex(base64: string): string {
  return Buffer.from(base64, "base64").toString("hex");
}
