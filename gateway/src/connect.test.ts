import assert from "node:assert/strict";
import { after, test } from "node:test";
import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { Code } from "@connectrpc/connect";
import { startGateway } from "../test/gateway.ts";
import { clientsOf, errorOf, protocols } from "../test/rpc-clients.ts";

const item = { sku: "tea-1", quantity: 2, unitPriceMinor: 450n };
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: {
    getUser: () => ({ user: { id: "ann", name: "Änn" } }),
    login: (_, { responseHeader }) => {
      responseHeader.set("session-key", "a-key");
      responseHeader.set("session-key-max-age", "600");
      return { token: "t".repeat(2_000) };
    },
  },
  order: {
    createOrder: ({ items, note }) => ({ order: { id: "1", items, note, totalMinor: 900n } }),
    listOrders: () => ({ orders: Array(100).fill({ items: [item] }) }),
    getOrder: (_, { responseHeader, responseTrailer }) => {
      responseHeader.set("x-internal", "header");
      responseTrailer.set("x-internal", "trailer");
      return { order: { status: OrderStatus.DONE } };
    },
  },
});
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;
const headers = { authorization };

for (const [protocol, transportTo] of Object.entries(protocols)) {
  const { users, orders } = clientsOf(transportTo(gateway.url));

  test(`${protocol}: calls go through to the service, and their answers back`, async () => {
    const { user } = await users.getUser({}, { headers });
    assert.deepEqual([user?.id, user?.name], ["ann", "Änn"]);
    const { order } = await orders.createOrder({ items: [item], note: "面" }, { headers });
    assert.equal(order?.note, "面");
    assert.equal(order.items[0]?.unitPriceMinor, 450n);
    assert.equal(gateway.calls.at(-1)?.header.get("authorization"), authorization);
  });

  test(`${protocol}: the request id and an idempotency key travel on`, async () => {
    const given = { ...headers, "x-request-id": "my-request", "idempotency-key": "my-key" };
    const seen = Promise.withResolvers<Headers>();
    await orders.createOrder({}, { headers: given, onHeader: seen.resolve });
    assert.equal((await seen.promise).get("x-request-id"), "my-request");
    const { header } = gateway.calls.at(-1) ?? assert.fail("no call");
    assert.equal(header.get("x-request-id"), "my-request");
    assert.equal(header.get("idempotency-key"), "my-key");
    const bad = { ...headers, "idempotency-key": "with space" };
    assert.equal(
      (await errorOf(orders.createOrder({}, { headers: bad }))).code,
      Code.InvalidArgument,
    );
  });

  test(`${protocol}: a session key becomes a cookie and shows nowhere else`, async () => {
    const metadata: Headers[] = [];
    const keep = (each: Headers) => void metadata.push(each);
    await users.login({ email: "a", password: "b" }, { onHeader: keep, onTrailer: keep });
    const [header] = metadata;
    assert.match(
      header?.getSetCookie()[0] ?? "",
      /^__Host-session_key=a-key; Max-Age=600; .*Strict/,
    );
    for (const each of metadata) {
      assert.equal(each.get("session-key"), null);
      assert.equal(each.get("session-key-max-age"), null);
    }
  });

  test(`${protocol}: what a service says beside its answer stays inside`, async () => {
    const metadata: Headers[] = [];
    const keep = (each: Headers) => void metadata.push(each);
    await orders.getOrder({ id: "1" }, { headers, onHeader: keep, onTrailer: keep });
    assert.deepEqual(
      metadata.map((each) => [each.get("x-internal"), each.get("trailer-x-internal")]),
      [
        [null, null],
        [null, null],
      ],
    );
  });
}

test("JSON has all implicit fields, as in REST", async () => {
  const response = await gateway.send("POST", "/order.v1.OrderService/GetOrder", {}, headers);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  const { order } = (await response.json()) as { order: Record<string, unknown> };
  assert.deepEqual([order.items, order.totalMinor, order.note], [[], "0", ""]);
  assert.equal(order.status, "ORDER_STATUS_DONE");
});

test("JSON is read as strictly as in REST", async () => {
  for (const body of [
    '{"id": "1", "id": "2"}',
    '{"unknown": 1}',
    "[]",
    "null",
    "{",
    `${"[".repeat(100)}${"]".repeat(100)}`,
  ]) {
    const response = await gateway.fetch("/order.v1.OrderService/GetOrder", {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
    });
    assert.equal(response.status, 400, body);
    assert.equal(((await response.json()) as { code: string }).code, "invalid_argument");
  }
});

test("methods without side effects can be had by GET, and no others", async () => {
  const query = "?connect=v1&encoding=json&message=%7B%7D";
  const got = await gateway.fetch(`/user.v1.UserService/GetUser${query}`, { headers });
  assert.equal(got.status, 200);
  assert.equal(((await got.json()) as { user: { id: string } }).user.id, "ann");
  for (const method of ["GET", "PUT", "HEAD"]) {
    const path = `/order.v1.OrderService/CreateOrder${query}`;
    const refused = await gateway.fetch(path, { method, headers });
    assert.equal(refused.status, 405);
    assert.equal(refused.headers.get("allow"), "POST");
  }
});

test("every public method has a route, and nothing internal has one", async () => {
  const statusOf = async (method: string, path: string) =>
    (await gateway.send(method, path, method === "GET" ? undefined : {}, headers)).status;
  for (const { typeName, methods } of [UserService, OrderService])
    for (const { name } of methods)
      assert.notEqual(await statusOf("POST", `/${typeName}/${name}`), 404, name);
  const internal = [SessionService, InternalOrderService].flatMap(({ typeName, methods }) =>
    methods.map(({ name }) => `/${typeName}/${name}`),
  );
  assert.equal(internal.length, 4);
  for (const path of [
    ...internal,
    "/grpc.health.v1.Health/Check",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/user.v1.UserService/Nothing",
    "/user.v1.UserService",
    "/user.v1.userservice/GetUser",
  ])
    for (const method of ["POST", "GET"]) assert.equal(await statusOf(method, path), 404, path);
  assert.ok(!gateway.calls.some(({ method }) => method === "PurgeUser"));
});

test("a client that speaks none of the protocols is told so in words", async () => {
  for (const path of ["/user.v1.UserService/GetUser", "/order.v1.OrderService/WatchOrders"])
    for (const contentType of [
      "text/plain",
      "application/grpc",
      "application/grpc+proto",
      "application/x-www-form-urlencoded",
    ]) {
      const response = await gateway.fetch(path, {
        method: "POST",
        headers: { ...headers, "content-type": contentType },
        body: "x",
      });
      assert.equal(response.status, 415, `${path} ${contentType}`);
      const problem = (await response.json()) as Record<string, unknown>;
      assert.equal(problem.reason, "unsupported_media_type");
    }
});

test("single messages are compressed, those with a token and frames are not", async () => {
  const all = { ...headers, "accept-encoding": "gzip, br", "connect-accept-encoding": "gzip" };
  const ask = (path: string, contentType: string, body: string | Uint8Array) =>
    gateway.fetch(path, {
      method: "POST",
      headers: { ...all, "content-type": contentType, "grpc-accept-encoding": "gzip" },
      body,
    });
  for (const [path, contentType, body, expected] of [
    ["/order.v1.OrderService/ListOrders", "application/json", "{}", "br"],
    ["/order.v1.OrderService/ListOrders", "application/proto", "", "br"],
    ["/order.v1.OrderService/ListOrders", "application/grpc-web+proto", new Uint8Array(5), null],
    ["/user.v1.UserService/Login", "application/json", "{}", null],
  ] as const) {
    const response = await ask(path, contentType, body);
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-encoding"), expected, contentType);
    assert.equal(response.headers.get("grpc-encoding"), null);
    assert.ok((await response.arrayBuffer()).byteLength > 1_000);
  }
});

test("a body of frames or binary is bounded, and what is compressed is refused", async () => {
  const { orders } = clientsOf(protocols["Connect with binary"](gateway.url));
  const error = await errorOf(orders.createOrder({ note: "x".repeat(100_000) }, { headers }));
  assert.equal(error.code, Code.ResourceExhausted);
  const response = await gateway.fetch("/order.v1.OrderService/GetOrder", {
    method: "POST",
    headers: { ...headers, "content-type": "application/proto", "content-encoding": "gzip" },
    body: "x",
  });
  assert.equal(response.status, 501);
  assert.equal(((await response.json()) as { code: string }).code, "unimplemented");
});

test("the log names the route and the code, whatever the protocol", async () => {
  for (const transportTo of Object.values(protocols)) {
    gateway.lines.length = 0;
    const { users } = clientsOf(transportTo(gateway.url));
    await errorOf(users.setUserRole({ id: "1" }, { headers }));
    while (gateway.lines.length === 0) await new Promise(setImmediate);
    const [line] = gateway.lines;
    assert.equal(line?.route, "/user.v1.UserService/SetUserRole");
    assert.equal(line?.code, "unimplemented");
    assert.equal(line?.userId, "ann");
  }
});
