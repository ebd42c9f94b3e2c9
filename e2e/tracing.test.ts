import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { type OtlpReceiver, startOtlpReceiver } from "@3l1/kit/tracing/otlp-receiver.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Profile } from "pprof-format";
import { type Platform, startPlatform, userPassword } from "../dev/own-platform.ts";
import { items, type Problem, placeOrder, register } from "./client.ts";

let collector: OtlpReceiver;
let platform: Platform;
before(async () => {
  collector = await startOtlpReceiver();
  platform = await startPlatform({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
});
after(async () => {
  assert.equal(await platform.stop(), 0);
  await collector.stop();
});

/** A trace that the client began. */
function newTrace(flags: "00" | "01") {
  const traceId = randomBytes(16).toString("hex");
  const spanId = randomBytes(8).toString("hex");
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-${flags}` } };
}

/** Somebody whose session is confirmed, so that no call does that on the way of another. */
async function newcomer(name: string) {
  const client = await register(platform.gatewayUrl, name);
  await placeOrder(client);
  return client;
}

const spansOf = (id: string) => collector.spans.filter(({ traceId }) => traceId === id);

/** Waits for spans, and brings the trace as lines of text: each span below its parent. */
async function traceWith(id: string, ...names: string[]): Promise<string[]> {
  const seen = () => new Set(spansOf(id).map(({ name }) => name));
  await waitFor(`the spans ${names}`, () => names.every((name) => seen().has(name)));
  const below = (parent: string, indent: string): string[] =>
    spansOf(id)
      .filter(({ parentSpanId }) => parentSpanId === parent)
      .sort((one, other) => one.name.localeCompare(other.name))
      .flatMap(({ service, kind, name, spanId }) => [
        `${indent}${service} ${kind.toLowerCase()} ${name}`,
        ...below(spanId, `${indent}  `),
      ]);
  const ids = new Set(spansOf(id).map(({ spanId }) => spanId));
  const roots = new Set(spansOf(id).map(({ parentSpanId }) => parentSpanId));
  return [...roots].filter((parent) => !ids.has(parent)).flatMap((parent) => below(parent, ""));
}

/** The log lines that carry a trace id, as `process message`. */
function linesOf(traceId: string): string[] {
  const lines = platform.output().split("\n");
  return lines
    .filter((line) => line.includes(`"traceId":"${traceId}"`))
    .map((line) => JSON.parse(line.slice(line.indexOf("{"))))
    .map(({ name, msg }) => `${name} ${msg}`);
}

test("one order is one trace through gateway, order-service and PostgreSQL", async () => {
  const ann = await newcomer("Ann");
  const { traceId, spanId, headers } = newTrace("01");
  const order = { items, currencyCode: "EUR", note: "no one's business" };
  const placed = await ann.post("/api/orders/add", order, headers);
  assert.equal(placed.status, 201);
  const trace = await traceWith(traceId, "place_order", "POST /api/orders/add");
  // Who watches orders is told afterwards, for several of them at once.
  const isTold = (line: string) => line.endsWith("tell_of_changes");
  assert.deepEqual(
    trace.filter((line) => !isTold(line)),
    [
      "gateway server POST /api/orders/add",
      "  gateway client order.v1.OrderService/CreateOrder",
      "    order-service server order.v1.OrderService/CreateOrder",
      "      order-service client place_order",
    ],
  );
  const spans = spansOf(traceId);
  const [request] = spans.filter(({ parentSpanId }) => parentSpanId === spanId);
  assert.deepEqual(request?.attributes, {
    "http.request.method": "POST",
    "http.route": "/api/orders/add",
    "http.response.status_code": 201,
  });
  const rpc = {
    "rpc.system.name": "grpc",
    "rpc.method": "order.v1.OrderService/CreateOrder",
    "rpc.status_code": "OK",
  };
  for (const span of spans.filter(({ name }) => name === rpc["rpc.method"]))
    assert.deepEqual(span.attributes, rpc);
  const sql = { "db.system.name": "postgresql", "db.query.summary": "place_order" };
  assert.deepEqual(spans.find(({ name }) => name === "place_order")?.attributes, sql);
  const told = placed.headers.get("traceparent");
  assert.equal(told, `00-${traceId}-${request?.spanId}-01`, "the answer names the request's span");
  const lines = ["gateway request", "order-service call"];
  await waitFor("the log", () => linesOf(traceId).length >= lines.length);
  assert.deepEqual(linesOf(traceId).sort(), lines);
});

test("deleting a user is one trace through three processes, the orders' removal afterwards included", async () => {
  const ben = await newcomer("Ben");
  const { traceId, headers } = newTrace("01");
  assert.equal((await ben.send("DELETE", "/api/users/del", undefined, headers)).status, 204);
  const trace = await traceWith(traceId, "remove_batch", "order.v1.InternalOrderService/PurgeUser");
  const wanted = [
    "gateway server DELETE /api/users/del",
    "  gateway client user.v1.UserService/DeleteUser",
    "    user-service server user.v1.UserService/DeleteUser",
    "      user-service client order.v1.InternalOrderService/PurgeUser",
    "        order-service server order.v1.InternalOrderService/PurgeUser",
    "          order-service client purge_owner",
    "          order-service client remove_batch",
    "      user-service client transaction",
  ];
  assert.deepEqual(
    trace.filter((line) => wanted.includes(line)),
    wanted,
    trace.join("\n"),
  );
  assert.match(trace.join("\n"), /user-service client evalsha/, "commands of Redis are there");
  await waitFor("the log", () => linesOf(traceId).includes("user-service orders purged"));
  assert.ok(linesOf(traceId).includes("order-service call"));
});

test("an error tells its trace where there is one", async () => {
  const ann = await newcomer("Ann");
  const path = "/api/orders/info?id=01890000-0000-7000-8000-000000000000";
  const { traceId, headers } = newTrace("01");
  const traced = await ann.send<Problem & { traceId?: string }>("GET", path, undefined, headers);
  assert.deepEqual([traced.status, traced.body.traceId], [404, traceId]);
  await waitFor("each process to send its spans", () => spansOf(traceId).length >= 4);
  const trace = await traceWith(traceId, "GET /api/orders/info", "find_orders");
  assert.equal(trace.length, 4, trace.join("\n"));
  assert.deepEqual(
    spansOf(traceId).filter(({ failed }) => failed),
    [],
    "not found is no fault",
  );
});

test("a client that does not record its trace gets no spans, and its id is in the log all the same", async () => {
  const ann = await newcomer("Ann");
  const { traceId, headers } = newTrace("00");
  const path = "/api/orders/info?id=01890000-0000-7000-8000-000000000000";
  const answer = await ann.send<Problem & { traceId?: string }>("GET", path, undefined, headers);
  assert.deepEqual([answer.status, answer.body.traceId], [404, undefined]);
  assert.equal(answer.headers.get("traceparent"), headers.traceparent);
  // More than these where the machine is so busy that the gateway asked twice.
  const lines = ["gateway request", "order-service call"];
  await waitFor("the log", () => lines.every((line) => linesOf(traceId).includes(line)));
  const later = newTrace("01");
  await ann.send("GET", path, undefined, later.headers);
  await traceWith(later.traceId, "GET /api/orders/info", "find_orders");
  assert.deepEqual(spansOf(traceId), []);
});

test("without a client's word a trace begins here, and ten a second are enough", async () => {
  const before = new Set(collector.spans.map(({ traceId }) => traceId));
  const startedAt = performance.now();
  const ask = () => fetch(`${platform.gatewayUrl}/api/users/me`);
  const answers = await Promise.all(Array.from({ length: 300 }, ask));
  const tookSeconds = (performance.now() - startedAt) / 1000;
  const recorded = answers
    .map(({ headers }) => headers.get("traceparent") ?? "")
    .filter((traceparent) => traceparent.endsWith("-01"));
  assert.ok(recorded.length >= 1);
  assert.ok(recorded.length <= 11 + 10 * tookSeconds, `${recorded.length} in ${tookSeconds} s`);
  const [first = ""] = recorded;
  assert.ok(!before.has(first.slice(3, 35)));
  assert.deepEqual(await traceWith(first.slice(3, 35), "GET /api/users/me"), [
    "gateway server GET /api/users/me",
  ]);
});

test("what people send, and what proves who they are, is in no span", async () => {
  const ann = await register(platform.gatewayUrl);
  const sent = collector.raw();
  assert.ok(sent.includes("place_order"));
  const known = [ann.email, ann.id, ann.token ?? "", ann.cookie?.split("=")[1] ?? "", userPassword];
  for (const secret of [...known, "no one's business", "tea-1", "Ann", "127.0.0.1", "insert into"])
    assert.ok(secret !== "" && !sent.includes(secret), secret);
});

test("every process can be profiled while it is traced", async () => {
  const { gateway, userService, orderService } = await platform.now();
  for (const { adminUrl } of [gateway, userService, orderService]) {
    const answer = await fetch(`${adminUrl}/debug/pprof/profile?seconds=1`);
    assert.equal(answer.status, 200, adminUrl);
    const profile = Profile.decode(gunzipSync(await answer.bytes()));
    assert.ok(profile.stringTable.strings.includes("cpu"));
  }
});

test("a collector that is lost harms nothing but the traces", async () => {
  const ann = await register(platform.gatewayUrl);
  await collector.stop();
  const { headers } = newTrace("01");
  const order = { items, currencyCode: "EUR", note: "" };
  const isTold = () => /"name":"gateway".*traces do not reach/.test(platform.output());
  while (!isTold()) {
    const { status } = await ann.post("/api/orders/add", order, headers);
    assert.equal(status, 201);
  }
});
