import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { after, test } from "node:test";
import { type ErrorInfo, ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { failure } from "@3l1/kit/rpc/failure.ts";
import { invalidArgument } from "@3l1/kit/rpc/violation.ts";
import { fromBinary } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";
import { startGateway } from "../test/gateway.ts";
import { clientsOf, errorOf, protocols, type RpcClients } from "../test/rpc-clients.ts";
import { cookie, startSessionGateway } from "../test/session-gateway.ts";

const redisUrl = process.env.TEST_REDIS_URL;
let thrown = new ConnectError("nothing");
const gateway = await startGateway(redisUrl, {
  user: {
    getUser: () => {
      throw thrown;
    },
    login: () => {
      throw thrown;
    },
  },
});
after(() => gateway[Symbol.asyncDispose]());
const limited = await startGateway(redisUrl, {
  env: { RATE_LIMIT_LOGIN_PER_MINUTE: "5", TRUST_PROXY: "127.0.0.0/8" },
});
after(() => limited[Symbol.asyncDispose]());
/** All tests count in the same Redis. */
const randomAddress = () =>
  `2001:${[1, 2, 3].map(() => randomInt(65_536).toString(16)).join(":")}::1`;
const headers = { authorization: `Bearer ${await gateway.tokens.issue()}` };

/** The one detail of the platform that every error has. */
function infoOf(error: ConnectError): ErrorInfo {
  const [info, ...others] = error.findDetails(ErrorInfoSchema);
  assert.deepEqual(others, []);
  assert.equal(info?.requestId, error.metadata.get("x-request-id"));
  return info as ErrorInfo;
}
const reasonsOf = (error: ConnectError) => [infoOf(error).reason];

for (const [protocol, transportTo] of Object.entries(protocols)) {
  const clientsTo = (url: string): RpcClients => clientsOf(transportTo(url));
  const { users, orders } = clientsTo(gateway.url);

  test(`${protocol}: an error keeps its code, words and details`, async () => {
    const violation = { field: "new_password", rule: "string.min_len", message: "is too short" };
    thrown = invalidArgument(violation);
    const error = await errorOf(users.getUser({}, { headers }));
    assert.equal(error.code, Code.InvalidArgument);
    assert.equal(error.rawMessage, "newPassword: is too short");
    const [violations] = error.findDetails(ViolationsSchema);
    assert.equal(violations?.violations[0]?.ruleId, "string.min_len");
    thrown = failure(Code.FailedPrecondition, "no", Reason.LAST_ADMIN);
    const reasoned = await errorOf(users.getUser({}, { headers }));
    assert.deepEqual([reasoned.code, reasonsOf(reasoned)], [thrown.code, [Reason.LAST_ADMIN]]);
  });

  test(`${protocol}: an error of our side shows no internals`, async () => {
    const secret = { "session-key": "secret", "x-stack": "secret" };
    for (const code of [Code.Internal, Code.Unknown, Code.DataLoss]) {
      thrown = new ConnectError("SELECT secret", code, secret, [
        { desc: ViolationsSchema, value: { violations: [{ message: "secret" }] } },
      ]);
      const error = await errorOf(users.getUser({}, { headers }));
      assert.equal(error.code, code);
      assert.match(error.rawMessage, /^something went wrong on our side/);
      assert.deepEqual(error.findDetails(ViolationsSchema), []);
      assert.equal(infoOf(error).reason, Reason.UNSPECIFIED);
      assert.equal(error.details.length, 1);
      assert.doesNotMatch(JSON.stringify([...error.metadata]), /secret/);
    }
  });

  test(`${protocol}: a store that is away is unavailable, with its reason and when to come back`, async () => {
    thrown = failure(Code.Unavailable, "at 10.0.0.7", Reason.DATABASE_UNAVAILABLE, 7_000);
    const error = await errorOf(users.getUser({}, { headers }));
    assert.deepEqual(reasonsOf(error), [Reason.DATABASE_UNAVAILABLE]);
    assert.equal(error.metadata.get("retry-after"), "7");
    assert.doesNotMatch(error.rawMessage, /10\.0\.0\.7/);
  });

  test(`${protocol}: without credentials it is unauthenticated, with a challenge`, async () => {
    const bare = await errorOf(users.getUser({}));
    assert.equal(bare.code, Code.Unauthenticated);
    assert.equal(bare.metadata.get("www-authenticate"), "Bearer");
    const bad = await errorOf(users.getUser({}, { headers: { authorization: "Bearer bad" } }));
    assert.equal(bad.metadata.get("www-authenticate"), 'Bearer error="invalid_token"');
    assert.deepEqual(reasonsOf(bad), [Reason.INVALID_TOKEN]);
  });

  test(`${protocol}: what another site sends with the cookie alone is denied`, async () => {
    const forged = { cookie: cookie(), origin: "https://evil.example" };
    const error = await errorOf(orders.createOrder({}, { headers: forged }));
    assert.equal(error.code, Code.PermissionDenied);
    assert.deepEqual(reasonsOf(error), [Reason.CROSS_SITE]);
  });

  test(`${protocol}: beyond a rate limit it is told where the limits stand`, async () => {
    const { users } = clientsTo(limited.url);
    const from = { headers: { "x-forwarded-for": randomAddress() } };
    assert.equal((await errorOf(users.login({}, from))).code, Code.Unimplemented);
    const error = await errorOf(users.login({}, from));
    assert.equal(error.code, Code.ResourceExhausted);
    assert.deepEqual(reasonsOf(error), [Reason.RATE_LIMITED]);
    assert.match(error.metadata.get("ratelimit") ?? "", /"login";r=0/);
    assert.match(error.metadata.get("ratelimit-policy") ?? "", /"login";q=5;w=60/);
    assert.ok(Number(error.metadata.get("retry-after")) > 0);
  });

  test(`${protocol}: an upstream that is away is unavailable, and left alone after a while`, async () => {
    await using alone = await startGateway(redisUrl);
    const token = await alone.tokens.issue();
    const { users } = clientsTo(alone.url);
    const login = await errorOf(users.introspect({ token }));
    assert.equal(login.code, Code.Unimplemented);
    await alone.stopServices();
    const error = await errorOf(users.introspect({ token }));
    assert.equal(error.code, Code.Unavailable);
    let refused = error;
    for (let i = 0; i < 50 && !reasonsOf(refused).includes(Reason.BREAKER_OPEN); i++)
      refused = await errorOf(users.introspect({ token }));
    assert.deepEqual(reasonsOf(refused), [Reason.BREAKER_OPEN]);
    assert.ok(Number(refused.metadata.get("retry-after")) > 0);
  });
}

test("the error of the Connect protocol is the JSON that its specification names", async () => {
  thrown = failure(Code.NotFound, "no such user", Reason.UNSPECIFIED);
  const response = await gateway.send("POST", "/user.v1.UserService/GetUser", {}, headers);
  assert.equal(response.status, 404);
  assert.equal(response.headers.get("content-type"), "application/json");
  const body = (await response.json()) as Record<string, unknown>;
  assert.deepEqual([body.code, body.message], ["not_found", "no such user"]);
});

test("a session that goes on is told on any answer, errors and GET included", async () => {
  await using sessions = await startSessionGateway(redisUrl);
  for (const transportTo of Object.values(protocols)) {
    const { users } = clientsOf(transportTo(sessions.url));
    const seen = Promise.withResolvers<Headers>();
    await users.getUser({}, { headers: { cookie: cookie() }, onHeader: seen.resolve });
    const error = await errorOf(users.listSessions({}, { headers: { cookie: cookie() } }));
    for (const header of [await seen.promise, error.metadata]) {
      assert.ok(header.get("x-access-token"));
      assert.equal(header.get("x-access-token-expires-in"), "300");
      assert.match(header.getSetCookie()[0] ?? "", /^__Host-session_key=new-key;/);
    }
    assert.equal(error.code, Code.NotFound);
  }
});

test("a page of an allowed origin may call by either protocol, and read what it needs", async () => {
  await using sessions = await startSessionGateway(redisUrl);
  const origin = "https://app.example.com";
  const asked = [
    "authorization,connect-protocol-version,connect-timeout-ms,content-type",
    "content-type,grpc-timeout,x-grpc-web,x-user-agent",
  ];
  for (const names of asked) {
    const preflight = await sessions.fetch("/user.v1.UserService/GetUser", {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": names,
      },
    });
    assert.equal(preflight.status, 204);
    assert.equal(preflight.headers.get("access-control-allow-credentials"), "true");
    const allowed = preflight.headers.get("access-control-allow-headers")?.toLowerCase() ?? "";
    for (const name of names.split(",")) assert.ok(allowed.split(", ").includes(name), name);
  }
  const { users } = clientsOf(protocols["gRPC-Web with binary"](sessions.url));
  const seen = Promise.withResolvers<Headers>();
  const page = { origin, "sec-fetch-site": "cross-site", cookie: cookie() };
  await users.getUser({}, { headers: page, onHeader: seen.resolve });
  const header = await seen.promise;
  assert.equal(header.get("access-control-allow-origin"), origin);
  const exposed = header.get("access-control-expose-headers")?.toLowerCase().split(", ") ?? [];
  for (const name of ["x-access-token", "x-access-token-expires-in", "grpc-status", "grpc-message"])
    assert.ok(exposed.includes(name), name);
});

test("what the protocol itself refuses has the request's id, and is in the log as well", async () => {
  const path = "/user.v1.UserService/GetUser";
  for (const [name, timeout, status, code] of [
    ["connect-timeout-ms", "soon", 400, "invalid_argument"],
    ["connect-timeout-ms", "0", 504, "deadline_exceeded"],
    ["connect-protocol-version", "1", 400, "invalid_argument"],
  ] as const) {
    gateway.lines.length = 0;
    const response = await gateway.fetch(path, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", [name]: timeout },
      body: name === "connect-protocol-version" ? "{" : "{}",
    });
    assert.equal(response.status, status);
    const body = (await response.json()) as { code: string; details: { value: string }[] };
    assert.equal(body.code, code);
    const [detail] = body.details;
    const { requestId } = fromBinary(ErrorInfoSchema, Buffer.from(detail?.value ?? "", "base64"));
    assert.equal(requestId, response.headers.get("x-request-id"));
    while (gateway.lines.length === 0) await new Promise(setImmediate);
    assert.equal(gateway.lines[0]?.code, code);
  }
});

/** No field has so high a type. */
const noMessage = Buffer.from([0x0f]);
const inFrame = (message: Buffer, flags = 0) =>
  Buffer.concat([Buffer.from([flags, 0, 0, 0, message.length]), message]);
const getUser = "/user.v1.UserService/GetUser";
const watchOrders = "/order.v1.OrderService/WatchOrders";

for (const [what, path, type, body] of [
  ["Connect", getUser, "application/proto", noMessage],
  ["Connect, a stream", watchOrders, "application/connect+proto", inFrame(noMessage)],
  ["gRPC-Web", getUser, "application/grpc-web+proto", inFrame(noMessage)],
  ["gRPC-Web, a stream", watchOrders, "application/grpc-web+proto", inFrame(noMessage)],
  ["gRPC-Web, compressed", getUser, "application/grpc-web+proto", inFrame(noMessage, 1)],
  ["Connect by GET", `${getUser}?connect=v1&encoding=proto&base64=1&message=Dw`],
  ["Connect by GET, no base64", `${getUser}?connect=v1&encoding=proto&base64=1&message=*`],
] as const)
  test(`bytes that are no message are the client's fault: ${what}`, async () => {
    gateway.lines.length = 0;
    const post = { method: "POST", headers: { ...headers, "content-type": type ?? "" } };
    const response = await gateway.fetch(
      path,
      body === undefined ? { headers } : { ...post, body },
    );
    const text = await response.text();
    if (type?.includes("grpc-web")) assert.match(text, /grpc-status: 3\r\n/);
    else assert.match(text, /"code":"invalid_argument"/);
    assert.match(decodeURIComponent(text), /the message cannot be read/);
    while (gateway.lines.length === 0) await new Promise(setImmediate);
    const [line, ...others] = gateway.lines;
    assert.deepEqual([line?.msg, line?.code, others], ["request", "invalid_argument", []]);
  });
