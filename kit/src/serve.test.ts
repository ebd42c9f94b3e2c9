import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:http2";
import { after, before, test } from "node:test";
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from "@3l1/gen/grpc/health/v1/health_pb.ts";
import { ServerReflection } from "@3l1/gen/grpc/reflection/v1/reflection_pb.ts";
import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Registry } from "@prometheus-io/client";
import { pino } from "pino";
import type { TokenVerifier } from "./auth/access-token.ts";
import { callerOf } from "./auth/caller.ts";
import { createServiceCredential } from "./auth/secrets.ts";
import { metadata } from "./rpc/metadata.ts";
import { implement, serve } from "./serve.ts";
import { waitFor } from "./wait-for.ts";

const id = "01980000-0000-7000-8000-000000000001";
const credential = createServiceCredential(["s".repeat(32)]);
/**
 * Takes a token for its user's id, so that the interceptor is tested and not the signature. Those that
 * begin with "late" have expired the seconds ago that they end with.
 */
const verifier: TokenVerifier = {
  async verify(text) {
    if (text === "bad") return { state: "invalid" };
    const [, secondsAgo = "-300"] = /^late-(\d+)$/.exec(text) ?? [];
    const expiresAt = Math.floor(Date.now() / 1000) - Number(secondsAgo);
    const token = { id: "1", issuedAt: 0, expiresAt, caller: callerNamed(text) };
    return { state: text.startsWith("late") ? "expired" : "valid", token };
  },
};
const callerNamed = (userId: string) => ({
  userId,
  sessionId: "s",
  generation: 0,
  epoch: 0,
  isAdmin: userId === "admin",
  expiresAtMs: Date.now() + 300_000,
});

const closers: (() => unknown)[] = [];
const lines: Record<string, unknown>[] = [];
let address: string;
let transport: ReturnType<typeof createGrpcTransport>;

before(async () => {
  const logger = pino({ base: {} }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const port = await serve(
    {
      config: {} as never,
      logger,
      registry: new Registry(),
      shutdown: {
        signal: new AbortController().signal,
        defer: (_, close) => closers.push(close),
        begin: async () => {},
      },
      adminPages: new Map(),
      details: new Map(),
    },
    {
      bindings: [
        implement(OrderService, {
          getOrder: (_, context) => ({ order: { userId: callerOf(context).userId } }),
          deleteOrder: () => Promise.reject(new Error("secret detail")),
        }),
        implement(InternalOrderService, { purgeUser: () => ({ removedOrders: 3n }) }),
      ],
      verifier,
      credential,
      isRevoked: (caller) => caller.userId === "revoked",
      host: "127.0.0.1",
      port: 0,
      portSetting: "PORT",
    },
  );
  address = `http://127.0.0.1:${port}`;
  transport = createGrpcTransport({ baseUrl: address });
});
after(async () => {
  for (const close of closers) await close();
});

const as = (user: string) => ({ headers: { authorization: `Bearer ${user}` } });
const orders = () => createClient(OrderService, transport);
const failsWith = (code: Code) => (error: unknown) =>
  error instanceof ConnectError && error.code === code;

test("a method for users wants a good token that is not revoked, and the handler sees whose it is", async () => {
  assert.equal((await orders().getOrder({ id }, as("ann"))).order?.userId, "ann");
  await assert.rejects(orders().getOrder({ id }), failsWith(Code.Unauthenticated));
  for (const user of ["bad", "revoked"])
    await assert.rejects(
      orders().getOrder({ id }, as(user)),
      failsWith(Code.Unauthenticated),
      user,
    );
});

test("a token that expired on its way from the gateway is still good, one of long ago is not", async () => {
  const { order } = await orders().getOrder({ id }, as("late-1"));
  assert.equal(order?.userId, "late-1");
  await assert.rejects(orders().getOrder({ id }, as("late-60")), failsWith(Code.Unauthenticated));
});

test("an internal method wants the service credential, and no user's token will do", async () => {
  const internal = createClient(InternalOrderService, transport);
  const headers = { [metadata.serviceCredential]: credential.value };
  assert.equal((await internal.purgeUser({ userId: id }, { headers })).removedOrders, 3n);
  await assert.rejects(
    internal.purgeUser({ userId: id }, as("admin")),
    failsWith(Code.PermissionDenied),
  );
});

test("bad input is refused with field and rule before the handler sees it", async () => {
  const error = await orders()
    .getOrder({ id: "x" }, as("ann"))
    .catch((thrown) => thrown);
  assert.equal(error.code, Code.InvalidArgument);
  assert.match(error.message, /id: .*UUID/i);
  assert.equal(error.details.length, 1);
});

test("of hundreds of violations only so many are told as trailers can carry", async () => {
  const items = Array.from({ length: 100 }, () => ({}));
  const error = await orders()
    .createOrder({ items, currencyCode: "EUR" }, as("ann"))
    .catch((thrown) => thrown);
  assert.equal(error.code, Code.InvalidArgument);
  assert.equal(error.findDetails(ViolationsSchema)[0]?.violations.length, 20);
});

test("a method without a handler is unimplemented", async () => {
  await assert.rejects(orders().listOrders({}, as("ann")), failsWith(Code.Unimplemented));
});

test("an unforeseen error is masked, and logged once with its cause, the request id and the user", async () => {
  lines.length = 0;
  const headers = { authorization: "Bearer ann", "x-request-id": "r-1" };
  const error = await orders()
    .deleteOrder({ id }, { headers })
    .catch((thrown) => thrown);
  assert.equal(error.code, Code.Internal);
  assert.equal(error.rawMessage, "internal error");
  assert.equal(lines.length, 1);
  const [line] = lines;
  assert.deepEqual([line?.requestId, line?.userId, line?.code], ["r-1", "ann", "internal"]);
  assert.match(JSON.stringify(line?.err), /secret detail/);
});

test("a client that is lost before its question is whole is no error of ours", async () => {
  lines.length = 0;
  const session = connect(address);
  const ask = (method: string) => {
    const path = `/${Health.typeName}/${method}`;
    const type = { "content-type": "application/grpc", te: "trailers" };
    const stream = session.request({ ":method": "POST", ":path": path, ...type });
    stream.on("error", () => {});
    return stream;
  };
  // One byte of nine.
  ask("Watch").write(Buffer.from([0, 0, 0, 0, 9, 1]));
  const check = ask("Check").end(Buffer.alloc(5));
  await once(check, "response");
  session.destroy();
  await waitFor("both to be logged", () => lines.length === 2);
  const told = lines.map(({ method, code, level }) => [method, code, level]);
  assert.deepEqual(told, [
    [`${Health.typeName}/Check`, "ok", pino.levels.values.info],
    [`${Health.typeName}/Watch`, "canceled", pino.levels.values.info],
  ]);
});

test("health knows every service and the whole, and no other", async () => {
  const health = createClient(Health, transport);
  for (const service of ["", OrderService.typeName, InternalOrderService.typeName])
    assert.equal((await health.check({ service })).status, Status.SERVING, service);
  await assert.rejects(health.check({ service: "no.Such" }), failsWith(Code.NotFound));
  assert.equal(Object.keys((await health.list({})).statuses).length, 3);
});

test("reflection lists the services and brings a symbol's file with all that it imports", async () => {
  const reflection = createClient(ServerReflection, transport);
  async function* questions() {
    yield { messageRequest: { case: "listServices" as const, value: "" } };
    yield {
      messageRequest: { case: "fileContainingSymbol" as const, value: "order.v1.OrderService" },
    };
    yield {
      messageRequest: { case: "fileContainingSymbol" as const, value: "platform.v1.ErrorInfo" },
    };
    yield { messageRequest: { case: "fileContainingSymbol" as const, value: "no.Such" } };
  }
  const [list, file, detail, missing] = await Array.fromAsync(
    reflection.serverReflectionInfo(questions()),
    ({ messageResponse }) => messageResponse,
  );
  assert.ok(list?.case === "listServicesResponse");
  assert.ok(list.value.service.some(({ name }) => name === "order.v1.OrderService"));
  assert.ok(file?.case === "fileDescriptorResponse");
  assert.ok(file.value.fileDescriptorProto.length > 5);
  assert.equal(detail?.case, "fileDescriptorResponse", "no method names the details of errors");
  assert.equal(missing?.case, "errorResponse");
});
