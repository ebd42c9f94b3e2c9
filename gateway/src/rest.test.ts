import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { invalidArgument } from "@3l1/kit/rpc/violation.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { startGateway } from "../test/gateway.ts";

let thrown: ConnectError = new ConnectError("nothing yet", Code.Unknown);
const order = { id: "o1", userId: "ann", totalMinor: 998n, items: [] };
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: {
    introspect: () => ({ active: false }),
    deleteUser: () => ({}),
    getUser: () => {
      throw thrown;
    },
  },
  order: {
    createOrder: ({ items, currencyCode }) => ({ order: { ...order, items, currencyCode } }),
    listOrders: () => ({ orders: [order], nextPageToken: "" }),
    setOrderStatus: () => ({ order }),
  },
});
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;
const lastCall = () => gateway.calls.at(-1) ?? assert.fail("no call");

async function problemFor(error: ConnectError) {
  thrown = error;
  const response = await gateway.fetch("/api/users/me", { headers: { authorization } });
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  const problem = (await response.json()) as Record<string, unknown>;
  assert.equal(problem.status, response.status);
  return { response, problem };
}

test("a body becomes the message, and the answer is protobuf JSON with all fields", async () => {
  const body = {
    items: [{ sku: "TEA", quantity: 2, unitPriceMinor: "499" }],
    currency_code: "EUR",
  };
  const response = await gateway.send("POST", "/api/orders/add", body, { authorization });
  assert.equal(response.status, 201);
  assert.deepEqual(await response.json(), {
    order: {
      id: "o1",
      userId: "ann",
      items: [{ sku: "TEA", quantity: 2, unitPriceMinor: "499" }],
      currencyCode: "EUR",
      totalMinor: "998",
      note: "",
      status: "ORDER_STATUS_UNSPECIFIED",
      version: 0,
    },
  });
});

test("parameters become the message where a route has no body", async () => {
  const path = "/api/orders/list?pageSize=3&status=ORDER_STATUS_DONE";
  const response = await gateway.fetch(path, { headers: { authorization } });
  assert.equal(response.status, 200);
  assert.deepEqual(lastCall().message, {
    $typeName: "order.v1.ListOrdersRequest",
    pageSize: 3,
    pageToken: "",
    status: 2,
    userId: "",
  });
});

test("a method whose status is 204 answers without a body", async () => {
  const init = { method: "DELETE", headers: { authorization } };
  const response = await gateway.fetch("/api/users/del", init);
  assert.equal(response.status, 204);
  assert.equal(await response.text(), "");
});

test("a POST without a body and without a type is an empty message", async () => {
  const response = await gateway.fetch("/api/users/ext", { method: "POST" });
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { active: false });
});

test("HEAD answers as GET does, without the body", async () => {
  const init = { method: "HEAD", headers: { authorization } };
  const response = await gateway.fetch("/api/orders/list", init);
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
});

test("what belongs into the query is refused in the body, and the other way round", async () => {
  const before = gateway.calls.length;
  const inBody = await gateway.send("DELETE", "/api/users/del", { id: "bob" }, { authorization });
  assert.equal(inBody.status, 400);
  assert.deepEqual(((await inBody.json()) as { violations: unknown }).violations, [
    { field: "id", rule: "body.none", message: "belongs into the query" },
  ]);
  const inQuery = await gateway.send("POST", "/api/users/ext?token=x", {});
  assert.equal(inQuery.status, 400);
  assert.equal(gateway.calls.length, before, "no service was asked");
});

test("an empty object is no body", async () => {
  const response = await gateway.send("DELETE", "/api/users/del", {}, { authorization });
  assert.equal(response.status, 204);
});

test("each code has its status, and 4xx tell what is wrong", async () => {
  const statuses: [Code, number, string][] = [
    [Code.InvalidArgument, 400, "invalid_argument"],
    [Code.FailedPrecondition, 400, "failed_precondition"],
    [Code.Unauthenticated, 401, "unauthenticated"],
    [Code.PermissionDenied, 403, "permission_denied"],
    [Code.NotFound, 404, "not_found"],
    [Code.AlreadyExists, 409, "already_exists"],
    [Code.Aborted, 409, "aborted"],
    [Code.ResourceExhausted, 429, "resource_exhausted"],
  ];
  for (const [code, status, name] of statuses) {
    const { response, problem } = await problemFor(new ConnectError("what is wrong", code));
    assert.equal(response.status, status);
    const requestId = response.headers.get("x-request-id");
    assert.deepEqual(
      { ...problem, title: "" },
      {
        type: "about:blank",
        title: "",
        status,
        detail: "what is wrong",
        instance: "/api/users/me",
        code: name,
        requestId,
      },
    );
  }
});

test("5xx tell nothing of what happened inside", async () => {
  const statuses: [Code, number][] = [
    [Code.Internal, 500],
    [Code.Unknown, 500],
    [Code.DataLoss, 500],
    [Code.Unimplemented, 501],
    [Code.Unavailable, 503],
    [Code.DeadlineExceeded, 504],
  ];
  for (const [code, status] of statuses) {
    const { problem } = await problemFor(new ConnectError("secret of 10.0.0.7", code));
    assert.equal(problem.status, status);
    assert.doesNotMatch(JSON.stringify(problem), /secret|10\.0\.0\.7/);
  }
});

test("a 503 says when to come back, and why where that is known", async () => {
  const plain = await problemFor(new ConnectError("x", Code.Unavailable));
  assert.equal(plain.response.headers.get("retry-after"), "1");
  const soon = failure(Code.Unavailable, "x", Reason.DATABASE_UNAVAILABLE, 0);
  assert.equal((await problemFor(soon)).response.headers.get("retry-after"), "1");
  const later = failure(Code.Unavailable, "x", Reason.DATABASE_UNAVAILABLE, 2_100);
  const { response, problem } = await problemFor(later);
  assert.equal(response.headers.get("retry-after"), "3");
  assert.equal(problem.reason, "database_unavailable");
});

test("an idempotency key that was used before is 422", async () => {
  const reused = failure(Code.InvalidArgument, "other body", Reason.IDEMPOTENCY_KEY_REUSED);
  const { problem } = await problemFor(reused);
  assert.deepEqual([problem.status, problem.reason], [422, "idempotency_key_reused"]);
});

test("violations of a service are passed on, in the names of JSON", async () => {
  const violation = { field: "items[1].unit_price_minor", rule: "int64.gte", message: "too low" };
  const { problem } = await problemFor(invalidArgument(violation));
  assert.deepEqual(problem.violations, [{ ...violation, field: "items[1].unitPriceMinor" }]);
  assert.equal(problem.detail, "items[1].unitPriceMinor: too low");
});

test("an unknown path is 404, and a known one with another method is 405 with those it takes", async () => {
  const unknown = await gateway.fetch("/api/nothing");
  assert.equal(unknown.status, 404);
  assert.equal(((await unknown.json()) as { code: string }).code, "not_found");
  for (const method of ["PUT", "PATCH", "OPTIONS", "PROPFIND"]) {
    const response = await gateway.fetch("/api/users/sessions?id=1", { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "GET, HEAD, DELETE");
    const problem = (await response.json()) as Record<string, unknown>;
    assert.equal(problem.reason, "method_not_allowed");
    assert.equal(problem.instance, "/api/users/sessions");
  }
});

test("a path that cannot be read is 400", async () => {
  const response = await gateway.fetch("/api/%ff");
  assert.equal(response.status, 400);
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  assert.ok(response.headers.get("x-request-id"));
});

test("internal services are not served", async () => {
  for (const path of ["/user.v1.SessionService/GetSigningKeys", "/metrics", "/livez", "/readyz"])
    assert.equal((await gateway.send("POST", path, {})).status, 404);
});
