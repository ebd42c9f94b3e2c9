import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { reasonOf, retryAfterSecondsOf } from "../rpc/failure.ts";
import { failureOf, startRig, until } from "./upstream-rig.ts";

const never = new Promise<never>(() => {});
const starting = () => new ConnectError("starting", Code.Unavailable);

describe("a killed upstream", () => {
  test("is not available; its calls do not count as those of clients that left", async () => {
    await using rig = await startRig({
      createOrder: () => {
        rig.service.cut();
        return never;
      },
    });
    for (let i = 0; i < 6; i++)
      assert.equal((await failureOf(rig.client.createOrder({}))).code, Code.Unavailable);
    assert.equal(rig.upstream.snapshot().state, "open");
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "failure" }), 6);
  });

  test("is one failure, however many calls its connection had: another address may do well", async () => {
    let arrived = 0;
    await using rig = await startRig({
      createOrder: () => {
        arrived++;
        return never;
      },
    });
    const calls = Array.from({ length: 20 }, () => failureOf(rig.client.createOrder({})));
    await until(() => arrived === 20);
    rig.service.drop();
    for (const { code } of await Promise.all(calls)) assert.equal(code, Code.Unavailable);
    assert.equal(rig.upstream.snapshot().state, "closed");
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "failure" }), 1);
  });

  test("is left alone, looked at after a while, and trusted again", async () => {
    await using rig = await startRig({ getOrder: () => ({}) });
    await rig.client.getOrder({});
    await rig.service.crash();
    for (let i = 0; i < 6; i++)
      assert.equal(reasonOf(await failureOf(rig.client.getOrder({}))), Reason.UNSPECIFIED);

    const away = await failureOf(rig.client.getOrder({}));
    assert.equal(away.code, Code.Unavailable);
    assert.equal(reasonOf(away), Reason.BREAKER_OPEN);
    assert.equal(retryAfterSecondsOf(away), 3);
    assert.equal(await rig.metric("breaker_state"), 2);
    assert.equal(await rig.metric("breaker_rejected_total"), 1);

    await rig.service.start();
    rig.clock.ms += 2_500;
    for (let i = 0; i < 3; i++) await rig.client.getOrder({});
    assert.equal(rig.upstream.snapshot().state, "closed");
    assert.equal(await rig.metric("breaker_state"), 0);
    assert.equal(await rig.metric("breaker_transitions_total", { reason: "probes-succeeded" }), 1);
    assert.deepEqual(
      rig.log.map(({ upstream, from, to }) => [upstream, from, to]),
      [
        ["order-service", "closed", "open"],
        ["order-service", "open", "half-open"],
        ["order-service", "half-open", "closed"],
      ],
    );
  });

  test("is looked at by three calls at most", async () => {
    let arrived = 0;
    const gate = Promise.withResolvers<void>();
    await using rig = await startRig({
      async getOrder() {
        arrived++;
        await gate.promise;
        return {};
      },
    });
    await rig.service.crash();
    for (let i = 0; i < 6; i++) await failureOf(rig.client.getOrder({}));
    await rig.service.start();
    rig.clock.ms += 2_500;
    const probes = [1, 2, 3].map(() => rig.client.getOrder({}));
    await until(() => arrived === 3);
    const fourth = await failureOf(rig.client.getOrder({}));
    assert.equal(reasonOf(fourth), Reason.BREAKER_OPEN);
    gate.resolve();
    await Promise.all(probes);
    assert.equal(rig.upstream.snapshot().state, "closed");
  });
});

describe("a caller that leaves", () => {
  test("cancels the call in the upstream, and says nothing about it", async () => {
    let cancelled = false;
    let arrived = false;
    await using rig = await startRig({
      async getOrder(_, { signal }) {
        arrived = true;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        cancelled = true;
        return {};
      },
    });
    const controller = new AbortController();
    const call = failureOf(rig.client.getOrder({}, { signal: controller.signal }));
    await until(() => arrived);
    controller.abort();
    assert.equal((await call).code, Code.Canceled);
    await until(() => cancelled);
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "neutral" }), 1);
    assert.equal(await rig.metric("upstream_calls_under_way"), 0);
  });

  test("before the call sends nothing", async () => {
    let calls = 0;
    await using rig = await startRig({
      getOrder() {
        calls++;
        return {};
      },
    });
    const error = await failureOf(rig.client.getOrder({}, { signal: AbortSignal.abort() }));
    assert.equal(error.code, Code.Canceled);
    assert.equal(calls, 0);
  });

  test("during the pause before a retry ends it", async () => {
    let calls = 0;
    const controller = new AbortController();
    await using rig = await startRig(
      {
        getOrder() {
          calls++;
          throw starting();
        },
      },
      {
        // Drawn when the pause begins: the caller leaves then.
        random: () => {
          if (calls === 1) setImmediate(() => controller.abort());
          return 0.999;
        },
      },
    );
    const error = await failureOf(rig.client.getOrder({}, { signal: controller.signal }));
    assert.equal(error.code, Code.Canceled);
    assert.equal(calls, 1);
    assert.equal(await rig.metric("upstream_calls_under_way"), 0);
  });
});
