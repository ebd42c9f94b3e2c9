import assert from "node:assert/strict";
import { globSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Access, policy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type DescMethod, type DescService, getOption, hasOption } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import {
  Code,
  ConnectError,
  createClient,
  type Interceptor,
  type Transport,
} from "@connectrpc/connect";
import {
  createConnectTransport as createNodeConnectTransport,
  createGrpcWebTransport as createNodeGrpcWebTransport,
} from "@connectrpc/connect-node";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { password, register } from "./client.ts";

let platform: Platform;
before(async () => {
  platform = await startPlatform({ ACCESS_TOKEN_TTL_SECONDS: "2" });
});
after(() => platform.stop());

interface Options {
  readonly baseUrl: string;
  readonly interceptors: Interceptor[];
}

const transports: Record<string, (options: Options) => Transport> = {
  "Connect in a browser": createConnectTransport,
  "Connect in a browser, binary and GET": (options) =>
    createConnectTransport({ ...options, useBinaryFormat: true, useHttpGet: true }),
  "gRPC-Web in a browser": createGrpcWebTransport,
  "gRPC-Web in a browser, JSON": (options) =>
    createGrpcWebTransport({ ...options, useBinaryFormat: false }),
  "Connect in Node.js": (options) => createNodeConnectTransport({ ...options, httpVersion: "1.1" }),
  "gRPC-Web in Node.js": (options) =>
    createNodeGrpcWebTransport({ ...options, httpVersion: "1.1" }),
};

/** What an app holds, kept fresh from every answer, errors included. */
class Wallet {
  token = "";
  cookie = "";
  /** How often a token came on the way. */
  reissued = 0;

  keep(header: Headers): void {
    const token = header.get("x-access-token");
    if (token !== null) this.reissued++;
    this.token = token ?? this.token;
    this.cookie = header.getSetCookie()[0]?.split(";")[0] ?? this.cookie;
  }

  readonly interceptor: Interceptor = (next) => async (request) => {
    if (this.token !== "") request.header.set("authorization", `Bearer ${this.token}`);
    if (this.cookie !== "") request.header.set("cookie", this.cookie);
    try {
      const answer = await next(request);
      this.keep(answer.header);
      return answer;
    } catch (error) {
      this.keep(ConnectError.from(error).metadata);
      throw error;
    }
  };
}

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => assert.fail("the call did not fail"),
    (thrown: unknown) => thrown,
  );
  return ConnectError.from(error);
}

let visitors = 0;

for (const [name, createTransport] of Object.entries(transports)) {
  const visit = () => {
    const wallet = new Wallet();
    const options = { baseUrl: platform.gatewayUrl, interceptors: [wallet.interceptor] };
    const transport = createTransport(options);
    const users = createClient(UserService, transport);
    const orders = createClient(OrderService, transport);
    const email = `connect-${process.pid}-${visitors++}@example.com`;
    const enter = async () => {
      wallet.token = (await users.register({ name: "Ann", email, password })).token;
    };
    return { wallet, users, orders, email, enter };
  };

  test(`${name}: a person registers, orders, cancels and leaves`, async () => {
    const { wallet, users, orders, email, enter } = visit();
    await enter();
    assert.match(wallet.cookie, /^session_key=./);
    assert.equal((await users.getUser({})).user?.email, email);
    const items = [{ sku: "tea-1", quantity: 2, unitPriceMinor: 450n }];
    const order = { items, currencyCode: "EUR", note: "für 面" };
    const headers = { "idempotency-key": `key-${visitors}` };
    const placed = await orders.createOrder(order, { headers });
    const again = await orders.createOrder(order, { headers });
    assert.equal(placed.order?.totalMinor, 900n);
    assert.equal(again.order?.id, placed.order.id, "the key makes a repeat count once");
    const { id } = placed.order;
    assert.deepEqual((await orders.getOrder({ id })).order?.note, "für 面");
    const status = OrderStatus.CANCELLED;
    assert.equal((await orders.setOrderStatus({ id, status })).order?.status, status);
    assert.equal((await orders.listOrderEvents({ id })).events.length, 2);
    assert.equal((await orders.listOrders({ pageSize: 10 })).orders.length, 1);
    await users.logout({});
    assert.equal(wallet.cookie, "session_key=");
    wallet.cookie = "";
    assert.equal((await errorOf(users.getUser({}))).code, Code.Unauthenticated);
  });

  test(`${name}: errors say what is wrong, in the same details as everywhere`, async () => {
    const { users, orders, enter } = visit();
    await enter();
    const bad = await errorOf(
      orders.createOrder({ items: [{ quantity: 0 }], currencyCode: "eur" }),
    );
    assert.equal(bad.code, Code.InvalidArgument);
    const violations = bad.findDetails(ViolationsSchema).flatMap((each) => each.violations);
    const rules = violations.map(({ ruleId }) => ruleId);
    assert.deepEqual(rules, ["string.pattern", "int32.gte_lte", "string.pattern"]);
    const stranger = await register(platform.gatewayUrl, "Bob");
    const { body } = await stranger.post<{ order: { id: string } }>("/api/orders/add", {
      items: [{ sku: "a", quantity: 1, unitPriceMinor: 1 }],
      currencyCode: "EUR",
    });
    const foreign = await errorOf(orders.getOrder({ id: body.order.id }));
    assert.equal(foreign.code, Code.NotFound);
    const admin = await errorOf(users.listUsers({}));
    assert.equal(admin.code, Code.PermissionDenied);
    const wrong = await errorOf(users.login({ email: stranger.email, password: "wrong" }));
    assert.equal(wrong.code, Code.Unauthenticated);
    assert.ok(wrong.metadata.get("x-request-id"));
  });

  test(`${name}: an expired token is renewed without the app noticing`, async () => {
    const { wallet, users, orders, enter } = visit();
    await enter();
    const { token } = wallet;
    await waitFor("the token to expire", async () => !(await users.introspect({ token })).active);
    assert.equal(wallet.reissued, 0);
    const id = "01980000-0000-7000-8000-000000000001";
    assert.equal((await errorOf(orders.getOrder({ id }))).code, Code.NotFound);
    assert.equal(wallet.reissued, 1, "an error brings the token as well");
    await users.getUser({});
    const { reissued } = wallet;
    wallet.token = "";
    assert.ok((await users.getUser({})).user);
    assert.equal(wallet.reissued, reissued + 1, "the cookie alone is enough");
    wallet.token = "bad";
    const error = await errorOf(users.getUser({}));
    assert.equal(error.metadata.get("www-authenticate"), 'Bearer error="invalid_token"');
    assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, Reason.INVALID_TOKEN);
  });
}

test("curl needs nothing but JSON", async () => {
  const response = await fetch(`${platform.gatewayUrl}/user.v1.UserService/Login`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: "nobody@example.com", password: "wrong" }),
  });
  assert.equal(response.status, 401);
  const body = (await response.json()) as { code: string };
  assert.equal(body.code, "unauthenticated");
});

/** Of all methods in `gen/` that are not for the public, those without a policy included. */
async function internalPaths(): Promise<string[]> {
  const folder = join(import.meta.dirname, "../gen/src");
  const paths: string[] = [];
  for (const file of globSync("**/*_pb.ts", { cwd: folder })) {
    const exports: object = await import(join(folder, file));
    for (const method of Object.values(exports).flatMap(methodsOf)) {
      const access = hasOption(method, policy) ? getOption(method, policy).access : Access.INTERNAL;
      if (access === Access.INTERNAL) paths.push(`/${method.parent.typeName}/${method.name}`);
    }
  }
  return paths;
}

function methodsOf(exported: { kind?: string }): readonly DescMethod[] {
  return exported.kind === "service" ? (exported as DescService).methods : [];
}

test("what is internal cannot be reached, whoever asks", async () => {
  const { token } = await register(platform.gatewayUrl);
  const paths = await internalPaths();
  for (const path of [
    "/user.v1.SessionService/RefreshSession",
    "/order.v1.InternalOrderService/PurgeUser",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
  ])
    assert.ok(paths.includes(path), path);
  for (const path of paths)
    for (const type of ["application/json", "application/proto", "application/grpc-web+proto"]) {
      const response = await fetch(platform.gatewayUrl + path, {
        method: "POST",
        headers: { "content-type": type, authorization: `Bearer ${token}` },
        body: type === "application/json" ? "{}" : "",
      });
      assert.equal(response.status, 404, `${path} ${type}`);
    }
});
