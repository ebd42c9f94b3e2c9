import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { keepAccessToken } from "@3l1/gen/client/access-token.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-web";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { password } from "./client.ts";
import { pageOf } from "./cross-origin.ts";

/*
 * A page of another origin, whose browser lets it do only what the gateway allows by CORS. What a browser
 * holds it to is in cross-origin.ts.
 */

const origin = "https://app.example.com";
let platform: Platform;
before(async () => {
  platform = await startPlatform({ CORS_ORIGINS: origin, ACCESS_TOKEN_TTL_SECONDS: "2" });
});
after(() => platform.stop());

type Options = Parameters<typeof createConnectTransport>[0];
const transports: Record<string, (options: Options) => Transport> = {
  "Connect, JSON": createConnectTransport,
  "Connect, binary and GET": (options) =>
    createConnectTransport({ ...options, useBinaryFormat: true, useHttpGet: true }),
  "gRPC-Web": createGrpcWebTransport,
};

function visit(from: string, createTransport: (options: Options) => Transport) {
  const page = pageOf(from);
  const token = keepAccessToken();
  const { fetch } = page;
  const baseUrl = platform.gatewayUrl;
  const options = { baseUrl, fetch, interceptors: [token.interceptor], defaultTimeoutMs: 30_000 };
  const transport = createTransport(options);
  const users = createClient(UserService, transport);
  return { page, token, users, orders: createClient(OrderService, transport) };
}

const failure = async (call: Promise<unknown>) =>
  ConnectError.from(
    await call.then(
      () => assert.fail("it did not fail"),
      (error) => error,
    ),
  );

let visitors = 0;
for (const [name, createTransport] of Object.entries(transports)) {
  test(`${name}: a page of an allowed origin goes on past the token's life, and reads every error`, async () => {
    const { page, token, users, orders } = visit(origin, createTransport);
    const email = `origin-${process.pid}-${visitors++}@example.com`;
    const registered = await users.register({ name: "Ann", email, password });
    token.value = registered.token;
    await waitFor(
      "the token to expire",
      async () => !(await users.introspect({ token: registered.token })).active,
    );
    assert.equal((await users.getUser({})).user?.email, email);
    assert.notEqual(token.value, registered.token, "the reissued token can be read");

    const headers = { "idempotency-key": "k", "x-request-id": `r-${visitors}` };
    const items = [{ sku: "tea-1", quantity: 1, unitPriceMinor: 1n }];
    const placed = await orders.createOrder({ items, currencyCode: "EUR" }, { headers });
    assert.ok(placed.order);
    const bad = await failure(orders.createOrder({ items, currencyCode: "euro" }));
    assert.equal(bad.findDetails(ViolationsSchema).length, 1);
    assert.ok(bad.metadata.get("x-request-id"));
    assert.ok(page.preflights > 0);

    const leave = new AbortController();
    const watching = failure(
      Array.fromAsync(orders.watchOrders({ lastEventId: "" }, { signal: leave.signal })),
    );
    leave.abort();
    assert.equal((await watching).code, Code.Canceled);
    token.value = "bad";
    const [info] = (await failure(users.getUser({}))).findDetails(ErrorInfoSchema);
    assert.equal(info?.reason, Reason.INVALID_TOKEN);
  });

  test(`${name}: a page of any other origin is kept out by its browser`, async () => {
    const { page, users } = visit("https://evil.example", createTransport);
    const { message } = await failure(users.login({ email: "a@example.com", password }));
    assert.match(message, /pages of https:\/\/evil\.example may not read this/);
    assert.equal(page.preflights, 1);
  });
}

test("REST is open to it as well: PATCH and DELETE after a preflight, and a 401 that can be read", async () => {
  const { fetch } = pageOf(origin);
  for (const method of ["PATCH", "DELETE"]) {
    const path = method === "PATCH" ? "/api/orders/status" : "/api/orders/del?id=x";
    const headers = { authorization: "Bearer bad", "content-type": "application/json" };
    const response = await fetch(platform.gatewayUrl + path, { method, headers });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  }
});
