import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { Registry } from "@prometheus-io/client";
import { pino } from "pino";
import { createGrpcServer } from "../grpc/server.ts";
import { createUpstream } from "../resilience/upstream.ts";
import { failure } from "../rpc/failure.ts";
import { metadata } from "../rpc/metadata.ts";
import { waitFor } from "../wait-for.ts";
import { startOtlpReceiver } from "./otlp-receiver.ts";
import { traceServerCalls } from "./trace-server-calls.ts";
import { startTracing, type Tracing } from "./tracing.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const sampled = `00-${traceId}-00f067aa0ba902b7-01`;
const unsampled = `00-${traceId}-00f067aa0ba902b7-00`;

const lines: Record<string, unknown>[] = [];
const logger = pino({ base: {} }, { write: (line) => void lines.push(JSON.parse(line)) });
const receiver = await startOtlpReceiver();
after(() => receiver.stop());

async function start(endpoint: string): Promise<Tracing> {
  const tracing = await startTracing({ name: "test", endpoint, logger });
  assert.ok(tracing);
  return tracing;
}

/** Ends it, and waits for a span: a machine that is busy may need longer than the end waits. */
async function closed(tracing: Tracing, name: string): Promise<void> {
  await tracing.close();
  await waitFor(name, () => receiver.spans.some((span) => span.name === name));
}

test("without an endpoint there is no tracing", async () => {
  assert.equal(await startTracing({ name: "test", endpoint: "", logger }), undefined);
});

test("a parent that records decides, and so does one that does not", async () => {
  const tracing = await start(receiver.url);
  assert.equal(tracing.start("server", "unsampled", unsampled), undefined);
  assert.equal(tracing.start("server", "malformed", "nonsense"), undefined);
  const span = tracing.start("server", "child", sampled, { "http.route": "/x" });
  assert.match(span?.traceparent ?? "", new RegExp(`^00-${traceId}-(?!00f067aa0ba902b7)`));
  span?.end({ failed: true, attributes: { "http.response.status_code": 503 } });
  const root = tracing.startRoot("client", "root");
  root?.event("seen");
  root?.end();
  await closed(tracing, "root");
  const [child, first] = receiver.spans.slice(-2);
  assert.deepEqual(child, {
    service: "test",
    name: "child",
    kind: "SERVER",
    traceId,
    spanId: span?.traceparent.slice(36, 52),
    parentSpanId: "00f067aa0ba902b7",
    attributes: { "http.route": "/x", "http.response.status_code": 503 },
    events: [],
    failed: true,
  });
  assert.deepEqual([first?.parentSpanId, first?.events], ["", ["seen"]]);
  assert.notEqual(first?.traceId, traceId);
});

test("each attempt of a call is a span, the service's below it, and a refusal is one with its reason", async () => {
  const tracing = await start(receiver.url);
  let calls = 0;
  const server = createGrpcServer({
    interceptors: [traceServerCalls(tracing)],
    routes: (router) =>
      router.service(OrderService, {
        getOrder: (_request, { requestHeader }) => {
          assert.equal(requestHeader.get(metadata.traceparent), tracing.current()?.traceparent);
          if (++calls === 1) throw new ConnectError("busy", Code.Unavailable);
          throw new ConnectError("no such order", Code.NotFound);
        },
        createOrder: () => {
          throw failure(Code.Unavailable, "no database", Reason.DATABASE_UNAVAILABLE);
        },
      }),
  });
  const { port } = await server.listen(0, "127.0.0.1");
  const baseUrls = [`http://127.0.0.1:${port}`];
  const registry = new Registry();
  const timeoutMs = 5_000;
  const upstream = createUpstream({ name: "o", baseUrls, timeoutMs, logger, registry, tracing });
  const orders = createClient(OrderService, upstream.transport);
  const headers = { [metadata.traceparent]: sampled };
  const before = receiver.spans.length;
  await assert.rejects(orders.getOrder({ id: "1" }, { headers }));
  await orders.getOrder({ id: "1" }, { headers: { traceparent: unsampled } }).catch(() => {});
  await server.drain(0);
  while (upstream.snapshot().state !== "open")
    await orders.createOrder({}, { headers: { traceparent: unsampled } }).catch(() => {});
  await assert.rejects(orders.createOrder({}, { headers }));
  await upstream.close();
  await closed(tracing, "order.v1.OrderService/CreateOrder");

  const spans = receiver.spans.slice(before);
  const attempts = spans.filter(({ kind, name }) => kind === "CLIENT" && /GetOrder/.test(name));
  assert.deepEqual(
    attempts.map(({ attributes, failed }) => [attributes["rpc.retry"], failed]),
    [
      [undefined, true],
      [1, false],
    ],
  );
  assert.equal(attempts[1]?.attributes["rpc.status_code"], "NOT_FOUND");
  const served = spans.filter(({ kind }) => kind === "SERVER");
  assert.deepEqual(
    served.map(({ parentSpanId }) => parentSpanId),
    attempts.map(({ spanId }) => spanId),
  );
  const refused = spans.filter(({ name }) => /CreateOrder/.test(name));
  assert.deepEqual(
    refused.map(({ events, failed }) => [events, failed]),
    [[["breaker_open"], true]],
  );
});

test("a collector that is away, or takes and never answers, costs the end 2 s at most and is told once", async () => {
  const sockets: Socket[] = [];
  const silent = createServer((socket) => void sockets.push(socket)).listen(0, "127.0.0.1");
  await once(silent, "listening");
  const mute = await start(`http://127.0.0.1:${(silent.address() as AddressInfo).port}`);
  mute.startRoot("server", "unheard")?.end();
  await mute.close();
  assert.equal(sockets.length, 1);
  for (const socket of sockets) socket.destroy();
  silent.close();
  const warnings = () => lines.filter(({ msg }) => msg === "traces do not reach their collector");
  await waitFor("its warning", () => warnings().length === 1);

  const away = await start("http://127.0.0.1:1");
  for (let count = 0; count < 5_000; count++) away.start("server", "lost", sampled)?.end();
  await waitFor("the other warning", () => warnings().length > 1);
  await away.close();
  assert.equal(warnings().length, 2);
});
