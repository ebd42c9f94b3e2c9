import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { InternalOrderService } from "@3l1/gen/order/v1/internal_order_service_pb.ts";
import { SessionService } from "@3l1/gen/user/v1/session_service_pb.ts";
import { createServiceCredential } from "@3l1/kit/auth/secrets.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import { createConnectTransport, createGrpcWebTransport } from "@connectrpc/connect-node";
import { Client, items, password, placeOrder, register } from "../client.ts";
import { shared } from "../second-gateway.ts";
import {
  claimsOf,
  holding,
  me,
  startTwoGateways,
  type TwoGateways,
  whenExpired,
} from "./two-gateways.ts";

let both: TwoGateways;
before(async () => (both = await startTwoGateways()));
after(() => both.stop());

const evil = "https://evil.example";
const foreign: readonly Record<string, string>[] = [
  { "sec-fetch-site": "cross-site", origin: evil },
  { "sec-fetch-site": "cross-site", origin: "null" },
  { "sec-fetch-site": "same-site", origin: "https://sibling.example.com" },
  { "sec-fetch-site": "none" },
  { origin: evil },
  { origin: "null" },
  { origin: "http://127.0.0.1.evil.example" },
  { origin: "http://127.0.0.1" },
];
const types = [
  "application/json",
  "application/x-www-form-urlencoded",
  "multipart/form-data; boundary=x",
  "text/plain",
];

test("what another site's form or script sends with the cookie is 403, and rotates nothing", async () => {
  const ann = await whenExpired(await register(both.urls[0]));
  const { sub, sid } = claimsOf(ann.token);
  const { cookie } = ann;
  const order = JSON.stringify({ items, currencyCode: "EUR" });
  const targets: readonly [method: string, path: string][] = [
    ["POST", "/api/orders/add"],
    ["PATCH", "/api/orders/status"],
    ["DELETE", "/api/users/del"],
    ["POST", "/api/users/out"],
    ["POST", "/api/users/password"],
    ["POST", "/order.v1.OrderService/CreateOrder"],
    ["POST", "/user.v1.UserService/DeleteUser"],
  ];
  for (const [index, from] of foreign.entries())
    for (const [method, path] of targets) {
      const url = both.urls[index % 2] as string;
      const type = types[index % types.length] as string;
      const client = holding(url, { cookie });
      const answer = await client.send(method, path, order, { ...from, "content-type": type });
      assert.equal(answer.status, 403, `${method} ${path} ${JSON.stringify(from)}`);
      assert.ok(!answer.headers.has("x-access-token"));
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
  assert.equal(await both.inside.sessionField(sub, sid, "gen"), "0");
  assert.equal((await holding(both.urls[1], { cookie }).get(me)).status, 200);
});

test("nobody is logged in or registered by another site; a genuine token proves whose page it is", async () => {
  const ann = await register(both.urls[0]);
  const account = { email: ann.email, password, name: "Ann" };
  for (const [index, from] of foreign.entries())
    for (const path of ["/api/users/log", "/api/users/reg", "/user.v1.UserService/Login"]) {
      const url = both.urls[index % 2] as string;
      const answer = await new Client(url).post(path, account, from);
      assert.equal(answer.status, 403, `${path} ${JSON.stringify(from)}`);
      assert.deepEqual(answer.headers.getSetCookie(), []);
    }
  const { token } = await whenExpired(ann);
  const own = await holding(both.urls[1], { token }).post(
    "/api/users/log",
    { email: ann.email, password },
    foreign[0],
  );
  assert.equal(own.status, 200, "no page of another site could have the token");
  const host = new URL(both.urls[0]).origin;
  for (const from of [{ "sec-fetch-site": "same-origin" }, { origin: host }]) {
    const login = { email: ann.email, password };
    assert.equal((await new Client(both.urls[0]).post("/api/users/log", login, from)).status, 200);
  }
});

test("internal methods refuse whoever lacks the credential of the platform, a user or an admin too", async () => {
  const ann = await register(both.urls[0]);
  const { sub: userId, sid: sessionId } = claimsOf(ann.token);
  const order = await placeOrder(ann);
  const key = ann.cookie?.split("=")[1] ?? "";
  const admin = await both.inside.sign({ ...claimsOf(ann.token), roles: ["admin"] });
  const credential = createServiceCredential(["another secret of thirty-two characters"]).value;
  const tries: Record<string, string>[] = [
    {},
    { authorization: `Bearer ${ann.token}`, "session-key": key },
    { authorization: `Bearer ${admin}`, "session-key": key },
    { "service-credential": "", "session-key": key },
    { "service-credential": credential, "session-key": key },
    { "service-credential": shared.SECRET_KEYS, "session-key": key },
  ];
  const { userService, orderService } = await both.platform.now();
  const grpc = [userService, orderService].map(({ url }) =>
    createGrpcTransport({ baseUrls: [url] }),
  );
  const others = [createConnectTransport, createGrpcWebTransport].map((create) =>
    [userService, orderService].map(({ url }) => create({ baseUrl: url, httpVersion: "2" })),
  );
  for (const [toUsers, toOrders] of [grpc, ...others] as [Transport, Transport][]) {
    const sessions = createClient(SessionService, toUsers);
    const orders = createClient(InternalOrderService, toOrders);
    for (const headers of tries) {
      const calls = [
        sessions.refreshSession({}, { headers }),
        sessions.confirmSession({ userId, sessionId, generation: 0 }, { headers }),
        sessions.getSigningKeys({}, { headers }),
        orders.purgeUser({ userId }, { headers }),
      ];
      const outcomes = await Promise.allSettled(calls);
      for (const outcome of outcomes)
        assert.equal(codeOf(outcome), Code.PermissionDenied, Object.keys(headers).join());
    }
  }
  await Promise.all(grpc.map((transport) => transport.close()));
  const fresh = holding(both.urls[0], { cookie: ann.cookie });
  assert.equal((await fresh.get(`/api/orders/info?id=${order.id}`)).status, 200);
});

test("through a gateway internal methods are not there, on any of its faces", async () => {
  const ann = await register(both.urls[0]);
  for (const url of both.urls)
    for (const method of [
      "user.v1.SessionService/RefreshSession",
      "user.v1.SessionService/ConfirmSession",
      "user.v1.SessionService/GetSigningKeys",
      "order.v1.InternalOrderService/PurgeUser",
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
      "grpc.health.v1.Health/Check",
    ])
      for (const type of ["application/json", "application/proto", "application/grpc-web+proto"]) {
        const headers = { "content-type": type };
        const answer = await holding(url, ann).post(`/${method}`, "{}", headers);
        assert.equal(answer.status, 404, `${method} as ${type}`);
      }
});

function codeOf(outcome: PromiseSettledResult<unknown>): Code | undefined {
  return outcome.status === "rejected" ? ConnectError.from(outcome.reason).code : undefined;
}
