import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { type Answer, Client, items, type Problem, placeOrder, register } from "./client.ts";
import { shared, startSecondGateway } from "./second-gateway.ts";

let platform: Platform;
let ann: Awaited<ReturnType<typeof register>>;
before(async () => {
  // However slow the machine is: no call is given up before the service is killed, or answers.
  platform = await startPlatform({ ...shared, UPSTREAM_TIMEOUT_MS: "60000" });
  ann = await register(platform.gatewayUrl);
});
after(() => platform.stop());

const add = () => ann.post("/api/orders/add", { items, currencyCode: "EUR" });
const reads = async () => (await ann.get("/api/orders/list")).status === 200;

function assertUnavailable({ status, headers, body }: Answer<Problem>): void {
  assert.deepEqual([status, body.code], [503, "unavailable"], JSON.stringify(body));
  assert.ok(Number(headers.get("retry-after")) >= 1);
}

test("every process shows the breakers of what it calls on its admin port, and none on a public one", async () => {
  const { gateway, userService, orderService } = await platform.now();
  const shown = async ({ adminUrl }: { adminUrl: string }) =>
    Object.keys((await (await fetch(`${adminUrl}/breakers`)).json()) as object).sort();
  assert.deepEqual(await shown(gateway), ["order-service", "user-service"]);
  assert.deepEqual(await shown(userService), ["order-service"]);
  assert.deepEqual(await shown(orderService), ["user-service"]);
  assert.equal((await fetch(`${gateway.url}/breakers`)).status, 404);
});

test("a service that is killed in the middle of calls answers 503 to each, and comes back", async () => {
  const { pid } = (await platform.now()).orderService;
  process.kill(pid, "SIGSTOP");
  const calls = Array.from({ length: 10 }, add);
  const gateway = (await platform.now()).gateway.adminUrl;
  await waitFor("the calls to be under way", async () => {
    const metrics = await (await fetch(`${gateway}/metrics`)).text();
    return /^upstream_calls_under_way\{[^}]*order-service[^}]*\} 10$/m.test(metrics);
  });
  process.kill(pid, "SIGKILL");
  for (const answer of await Promise.all(calls)) assertUnavailable(answer);
  await waitFor(
    "the service to come back",
    async () => (await platform.now()).orderService.pid !== pid,
  );
  await waitFor("orders to work again", reads);
});

test("while a service is away the other one's routes work, and its own answer 503 at once", async () => {
  await using gateway = await startSecondGateway(platform, { UPSTREAM_TIMEOUT_MS: "5000" });
  const client = Object.assign(new Client(gateway.url), { token: ann.token });
  const { pid } = (await platform.now()).orderService;
  process.kill(pid, "SIGSTOP");
  try {
    const orders = Array.from({ length: 6 }, () => client.get<Problem>("/api/orders/list"));
    assert.equal((await client.get("/api/users/me")).status, 200);
    for (const { status } of await Promise.all(orders))
      assert.ok(status === 504 || status === 503, `${status}`);
    const { body } = await waitFor("the breaker to open", async () => {
      const answer = await client.get<Problem>("/api/orders/list");
      return answer.body.reason === "breaker_open" && answer;
    });
    assert.equal(body.status, 503);
    assert.equal((await client.get("/api/users/me")).status, 200);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await waitFor(
    "the breaker to close",
    async () => (await client.get("/api/orders/list")).status === 200,
  );
});

test("Redis away: valid tokens go on, logging in is 503, and all is well afterwards", async () => {
  const { pid } = (await platform.now()).redis;
  process.kill(pid, "SIGSTOP");
  try {
    assert.equal((await ann.get("/api/users/me")).status, 200);
    assertUnavailable(
      await ann.post("/api/users/log", { email: ann.email, password: "a long enough passphrase" }),
    );
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await waitFor(
    "logging in to work again",
    async () =>
      (await ann.post("/api/users/log", { email: ann.email, password: "a long enough passphrase" }))
        .status === 200,
  );
});

test("an order that was acknowledged is still there after every service was killed", async () => {
  const { id } = await placeOrder(ann);
  const before = await platform.now();
  for (const { pid } of [before.gateway, before.userService, before.orderService])
    process.kill(pid, "SIGKILL");
  await waitFor("all to come back", async () => {
    const now = await platform.now().catch(() => before);
    return (
      now.gateway.pid !== before.gateway.pid &&
      now.userService.pid !== before.userService.pid &&
      now.orderService.pid !== before.orderService.pid
    );
  });
  await waitFor(
    "the order to be read",
    async () => (await ann.get(`/api/orders/info?id=${id}`).catch(() => undefined))?.status === 200,
  );
});
