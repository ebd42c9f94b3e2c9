import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { startPlatform } from "../../dev/own-platform.ts";
import { metricOf } from "../admin-pages.ts";
import { register } from "../client.ts";
import { startOrderStandIn } from "../order-stand-in.ts";
import { shared, startSecondGateway } from "../second-gateway.ts";
import { percentile, startCrowd, startLoad, statuses } from "./load.ts";

const someId = "01890000-0000-7000-8000-000000000000";
const items = Array.from({ length: 10 }, (_, i) => ({ sku: `tea-${i}`, quantity: 1 }));
const orders = Array.from({ length: 50 }, () => ({ id: someId, currencyCode: "EUR", items }));

test("a gateway without CPU time to spare sheds lists, never what is critical, and serves all again after", async (t) => {
  await using scene = new AsyncDisposableStack();
  const platform = await startPlatform(shared);
  scene.defer(async () => void (await platform.stop()));
  const service = await startOrderStandIn({ listOrders: () => ({ orders }), getOrder: () => ({}) });
  scene.defer(service.stop);
  const gateway = await startSecondGateway(platform, { ORDER_SERVICE_URL: service.url });
  scene.defer(gateway.stop);
  const { token } = await register(platform.gatewayUrl);
  const info = { url: `${gateway.url}/api/orders/info?id=${someId}`, token };
  const list = { url: `${gateway.url}/api/orders/list?pageSize=100`, token };
  const shed = (criticality: string) =>
    metricOf(gateway.adminUrl, "http_requests_shed_total", { criticality });

  // So few at a time are never late: this is what the gateway can do.
  const crowd = startCrowd([list, list, list, list]);
  await sleep(5_000);
  await crowd.stop();
  const capacity = crowd.since(performance.now() - 3_000).length / 3;
  assert.equal(await shed("sheddable"), 0, "busy, but nobody waits");

  const critical = startLoad({ ...info, perSecond: 20 });
  const sheddable = startLoad({ ...list, perSecond: 1.5 * capacity });
  await waitFor("lists to be shed", async () => (await shed("sheddable")) > 0, 20_000);
  const sheddingAt = performance.now();
  await sleep(8_000);
  await Promise.all([critical.stop(), sheddable.stop()]);
  const important = critical.since(sheddingAt);
  const lists = sheddable.since(sheddingAt);
  t.diagnostic(`capacity: ${capacity.toFixed(0)} lists/s`);
  t.diagnostic(
    `critical: ${JSON.stringify(statuses(important))}, p99 ${percentile(important, 0.99)}`,
  );
  t.diagnostic(`lists: ${JSON.stringify(statuses(lists))}, p99 ${percentile(lists, 0.99)}`);
  t.diagnostic(`shed: ${await shed("sheddable")} sheddable, ${await shed("default")} default`);
  const served = important.filter(({ status }) => status === 200);
  assert.ok(served.length >= important.length * 0.99, JSON.stringify(statuses(important)));
  assert.ok(lists.some(({ status }) => status === 200));
  assert.ok(lists.some(({ status }) => status === 503));
  assert.equal(await shed("critical"), 0);

  await sleep(2_000);
  const before = await shed("sheddable");
  const later = startLoad({ ...list, perSecond: 20 });
  await sleep(2_000);
  await later.stop();
  assert.deepEqual(Object.keys(statuses(later.samples)), ["200"]);
  assert.equal(await shed("sheddable"), before);
});
