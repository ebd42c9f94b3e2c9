import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { breakerOf } from "../admin-pages.ts";
import { placeOrder, register } from "../client.ts";
import { percentile, startLoad, statuses } from "./load.ts";

const deadlineMs = 2_000;
let platform: Platform;
let ann: Awaited<ReturnType<typeof register>>;
let order: string;
before(async () => {
  platform = await startPlatform({ UPSTREAM_TIMEOUT_MS: `${deadlineMs}` });
  ann = await register(platform.gatewayUrl);
  order = `${platform.gatewayUrl}/api/orders/info?id=${(await placeOrder(ann)).id}`;
});
after(() => platform.stop());

test("a service that stops costs its callers a deadline at most, and other callers nothing", async (t) => {
  const { token } = ann;
  const orders = startLoad({ url: order, token, perSecond: 100 });
  const users = startLoad({ url: `${platform.gatewayUrl}/api/users/me`, token, perSecond: 100 });
  await sleep(3_000);
  const calmAt = performance.now();
  await sleep(4_000);
  const { orderService, gateway } = await platform.now();
  const stoppedAt = performance.now();
  process.kill(orderService.pid, "SIGSTOP");
  try {
    await waitFor("the breaker to open", async () => {
      return (await breakerOf(gateway.adminUrl, "order-service")).state === "open";
    });
    const openAt = performance.now();
    await sleep(4_000);
    await Promise.all([orders.stop(), users.stop()]);

    const during = orders.since(stoppedAt);
    const longest = Math.max(...during.map(({ tookMs }) => tookMs));
    // While open nobody is let through; half-open, three are.
    const open = orders.since(openAt + 100);
    const fast = open.filter(({ status, tookMs }) => status === 503 && tookMs < deadlineMs / 2);
    const calm = users.since(calmAt).filter(({ atMs }) => atMs < stoppedAt);
    const troubled = users.since(stoppedAt);
    const [before, meanwhile] = [percentile(calm, 0.99), percentile(troubled, 0.99)];
    t.diagnostic(`orders meanwhile: ${JSON.stringify(statuses(during))}`);
    t.diagnostic(`longest ${longest.toFixed(0)} ms of ${deadlineMs}`);
    t.diagnostic(
      `breaker open: ${fast.length} of ${open.length} fast, p99 ${percentile(fast, 0.99)}`,
    );
    t.diagnostic(`users p99: ${before.toFixed(1)} ms before, ${meanwhile.toFixed(1)} ms meanwhile`);
    assert.ok(longest <= deadlineMs + 100, `${longest} ms`);
    assert.ok(during.every(({ status }) => status === 503 || status === 504));
    assert.ok(fast.length >= open.length - 6, `${open.length - fast.length} were not`);
    assert.deepEqual(Object.keys(statuses(troubled)), ["200"]);
    assert.ok(meanwhile <= 2 * before, `p99 ${before} → ${meanwhile} ms`);
  } finally {
    process.kill(orderService.pid, "SIGCONT");
  }
});

test("the breaker of a service that is back closes within one open period and a second", async (t) => {
  const { orderService, gateway } = await platform.now();
  const breaker = () => breakerOf(gateway.adminUrl, "order-service");
  const load = startLoad({ url: order, token: ann.token, perSecond: 50 });
  await waitFor("orders to be read", () => load.samples.some(({ status }) => status === 200));
  await waitFor("the breaker to be closed", async () => (await breaker()).state === "closed");
  process.kill(orderService.pid, "SIGKILL");
  await waitFor("the breaker to open", async () => (await breaker()).state === "open");
  await waitFor("the service to be back", async () => {
    const now = (await platform.now()).orderService;
    if (now.pid === orderService.pid) return false;
    return (await fetch(`${now.adminUrl}/readyz`).catch(() => undefined))?.ok;
  });
  const backAt = performance.now();
  const { openForMs } = await breaker();
  await waitFor("the breaker to close", async () => (await breaker()).state === "closed");
  const tookMs = performance.now() - backAt;
  await load.stop();
  t.diagnostic(`open for ${openForMs.toFixed(0)} ms yet, closed after ${tookMs.toFixed(0)} ms`);
  assert.ok(tookMs <= openForMs + 1_000, `${tookMs} ms`);
});
