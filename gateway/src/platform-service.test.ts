import assert from "node:assert/strict";
import { after, test } from "node:test";
import {
  type GetPlatformHealthResponseJson,
  PlatformService,
} from "@3l1/gen/platform/v1/platform_service_pb.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import { startGateway } from "../test/gateway.ts";

const path = "/api/platform/health";
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  env: { RATE_LIMIT_IP_PER_MINUTE: "100000", MAX_CONCURRENT_REQUESTS: "77" },
  user: {
    getUser: () => ({}),
    introspect: () => Promise.reject(new ConnectError("broken", Code.Internal)),
  },
});
after(() => gateway[Symbol.asyncDispose]());

const bearer = async (options: Parameters<typeof gateway.tokens.issue>[0]) => ({
  authorization: `Bearer ${await gateway.tokens.issue(options)}`,
});
const admin = await bearer({ isAdmin: true });
const user = await bearer({});

async function health(): Promise<GetPlatformHealthResponseJson> {
  const response = await gateway.fetch(path, { headers: admin });
  assert.equal(response.status, 200);
  return (await response.json()) as GetPlatformHealthResponseJson;
}

test("nobody gets 401, a user 403 and an administrator the health, over REST and Connect", async () => {
  assert.equal((await gateway.fetch(path)).status, 401);
  const refused = await gateway.fetch(path, { headers: user });
  assert.equal(refused.status, 403);
  assert.equal(((await refused.json()) as { code: string }).code, "permission_denied");
  assert.match((await health()).gateway?.name ?? "", new RegExp(`:${process.pid}$`));

  const transport = createConnectTransport({ baseUrl: gateway.url, useHttpGet: true });
  const client = createClient(PlatformService, transport);
  const codeOf = (headers: Record<string, string>) =>
    client.getPlatformHealth({}, { headers }).then(
      () => undefined,
      (error) => ConnectError.from(error).code,
    );
  assert.equal(await codeOf({}), Code.Unauthenticated);
  assert.equal(await codeOf(user), Code.PermissionDenied);
  const answer = await client.getPlatformHealth({}, { headers: admin });
  assert.equal(answer.sampleSeconds, 5);
});

test("what was asked and what came of it shows in the next sample, by route", async () => {
  await gateway.sampleHealth();
  for (let i = 0; i < 3; i++) await gateway.fetch("/api/users/me", { headers: user });
  await gateway.fetch("/api/users/ext", { method: "POST" });
  await gateway.fetch("/nowhere");
  await gateway.sampleHealth();
  const { routes = [], total, rateLimits, throttle, gateway: process } = await health();
  const of = (name: string) => routes.find(({ route }) => route === name);
  assert.equal(of("/api/users/me")?.method, "GET");
  assert.equal(of("/api/users/me")?.traffic?.requests?.at(-1), 3);
  assert.ok(Number(of("/api/users/me")?.traffic?.p99Ms?.at(-1)) > 0);
  assert.equal(of("/api/users/ext")?.traffic?.serverErrors?.at(-1), 1);
  assert.equal(of("unmatched")?.traffic?.clientErrors?.at(-1), 1);
  assert.equal(total?.requests?.at(-1), 5);
  assert.deepEqual(
    rateLimits?.map(({ name, perMinute, allowed }) => [name, perMinute, allowed?.at(-1)]),
    [["ip", 100_000, 5]],
  );
  assert.deepEqual([throttle?.requestsUnderWay, throttle?.maxRequests], [0, 77]);
  assert.equal(process?.version, "0.1.0");
  assert.ok(Number(process?.residentMebibytes?.at(-1)) > 10);
  const busy = Number(process?.eventLoopUtilization?.at(-1));
  assert.ok(busy >= 0 && busy <= 1, `${busy} is no share`);
});

test("the way to a service shows: its breaker, its addresses, its calls, and when it breaks", async () => {
  const userService = async () => {
    const { upstreams = [] } = await health();
    return upstreams.find(({ name }) => name === "user-service") ?? assert.fail("not there");
  };
  await gateway.sampleHealth();
  await gateway.fetch("/api/users/me", { headers: user });
  await gateway.sampleHealth();
  const before = await userService();
  assert.deepEqual([before.state, before.reason], ["BREAKER_STATE_CLOSED", "started"]);
  assert.equal(before.calls?.at(-1), 1);
  assert.match(before.addresses?.[0]?.address ?? "", /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal(before.addresses?.[0]?.connected, true);
  assert.equal(before.concurrencyLimit, 100);

  await gateway.stopServices();
  for (let i = 0; i < 10; i++) await gateway.fetch("/api/users/me", { headers: user });
  await gateway.sampleHealth();
  const broken = await userService();
  assert.deepEqual([broken.state, broken.reason], ["BREAKER_STATE_OPEN", "failures-in-a-row"]);
  assert.ok(Date.parse(broken.openUntil ?? "") > Date.parse(broken.since ?? ""));
  const [transition] = broken.transitions ?? [];
  assert.equal(transition?.fromState, "BREAKER_STATE_CLOSED");
  assert.deepEqual([broken.failures?.at(-1), broken.rejected?.at(-1)], [6, 4]);
  assert.equal(broken.addresses?.[0]?.connected, false);
});
