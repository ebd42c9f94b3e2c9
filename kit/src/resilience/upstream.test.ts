import assert from "node:assert/strict";
import { test } from "node:test";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { createClient } from "@connectrpc/connect";
import { pino } from "pino";
import { createUpstream } from "./upstream.ts";
import { failureOf, startRig } from "./upstream-rig.ts";

test("several upstreams share a registry, each under its name", async () => {
  await using rig = await startRig({ getOrder: () => ({}) });
  const other = createUpstream({
    name: "user-service",
    baseUrls: [rig.service.url],
    timeoutMs: 10_000,
    logger: pino({ level: "silent" }),
    registry: rig.registry,
  });
  await createClient(OrderService, other.transport).getOrder({});
  await rig.client.getOrder({});
  await rig.client.getOrder({});
  const successes = (upstream: string) =>
    rig.metric("breaker_outcomes_total", { upstream, class: "success" });
  assert.equal(await successes("user-service"), 1);
  assert.equal(await successes("order-service"), 2);
  for (const upstream of ["user-service", "order-service"]) {
    assert.equal(await rig.metric("upstream_concurrency_limit", { upstream }), 100);
    assert.equal(await rig.metric("breaker_state", { upstream }), 0);
  }
  await other.close();
});

test("one upstream's breaker is none of another one's business", async () => {
  await using broken = await startRig({});
  await using healthy = await startRig({ getOrder: () => ({}) });
  await broken.service.crash();
  for (let i = 0; i < 6; i++) await failureOf(broken.client.getOrder({}));
  assert.equal(broken.upstream.snapshot().state, "open");
  await healthy.client.getOrder({});
  assert.equal(healthy.upstream.snapshot().state, "closed");
});

test("every metric is there from the start, at zero, so that its first change shows", async () => {
  await using rig = await startRig({});
  const text = await rig.registry.metrics();
  for (const line of [
    'breaker_state{upstream="order-service"} 0',
    'breaker_rejected_total{upstream="order-service"} 0',
    'breaker_outcomes_total{upstream="order-service",class="failure"} 0',
    'upstream_retries_total{upstream="order-service"} 0',
    'upstream_overloaded_total{upstream="order-service"} 0',
    'upstream_concurrency_limit{upstream="order-service"} 100',
    'upstream_calls_under_way{upstream="order-service"} 0',
    'upstream_calls_waiting{upstream="order-service"} 0',
    'upstream_streams_open{upstream="order-service"} 0',
    'upstream_retry_tokens{upstream="order-service"} 100',
  ])
    assert.ok(text.includes(`\n${line}\n`), line);
});

test("the interceptors run around every attempt", async () => {
  const codes: string[] = [];
  await using rig = await startRig(
    { getOrder: () => ({}) },
    {
      interceptors: [
        (next) => async (request) => {
          try {
            return await next(request);
          } finally {
            codes.push(request.method.name);
          }
        },
      ],
    },
  );
  await rig.service.crash();
  await failureOf(rig.client.getOrder({}));
  assert.deepEqual(codes, ["GetOrder", "GetOrder", "GetOrder"]);
});
