import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { failure, reasonOf, retryAfterSecondsOf } from "../rpc/failure.ts";
import { failureOf, startRig, until } from "./upstream-rig.ts";

const never = new Promise<never>(() => {});

describe("what the upstream answers", () => {
  test("comes back as it is, with headers and trailers", async () => {
    await using rig = await startRig({
      getOrder({ id }, context) {
        context.responseHeader.set("x-header", "h");
        context.responseTrailer.set("x-trailer", "t");
        return { order: { id, note: context.requestHeader.get("x-request") ?? "" } };
      },
    });
    const seen: (string | null)[] = [];
    const { order } = await rig.client.getOrder(
      { id: "1" },
      {
        headers: { "x-request": "r" },
        onHeader: (header) => seen.push(header.get("x-header")),
        onTrailer: (trailer) => seen.push(trailer.get("x-trailer")),
      },
    );
    assert.deepEqual([order?.id, order?.note, ...seen], ["1", "r", "h", "t"]);
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "success" }), 1);
  });

  test("comes back as it is when it is an error, and is a success of the upstream", async () => {
    await using rig = await startRig({
      getOrder() {
        const detail = { desc: ErrorInfoSchema, value: { reason: Reason.INVALID_TOKEN } };
        throw new ConnectError("nö", Code.NotFound, { "x-meta": "m" }, [detail]);
      },
    });
    for (let i = 0; i < 10; i++) {
      const error = await failureOf(rig.client.getOrder({}));
      assert.equal(error.code, Code.NotFound);
      assert.equal(error.rawMessage, "nö");
      assert.equal(error.metadata.get("x-meta"), "m");
      assert.equal(reasonOf(error), Reason.INVALID_TOKEN);
    }
    assert.equal(rig.upstream.snapshot().window.failures, 0);
  });

  test("does not trip the breaker when it is about a store that is away, and is not asked twice", async () => {
    let calls = 0;
    await using rig = await startRig({
      getOrder() {
        calls++;
        throw failure(Code.Unavailable, "no database", Reason.DATABASE_UNAVAILABLE, 1_000);
      },
    });
    for (let i = 0; i < 30; i++) {
      const error = await failureOf(rig.client.getOrder({}));
      assert.equal(reasonOf(error), Reason.DATABASE_UNAVAILABLE);
    }
    assert.equal(calls, 30);
    assert.equal(rig.upstream.snapshot().state, "closed");
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "neutral" }), 30);
  });
});

describe("when all turns are taken", () => {
  /** A hundred calls under way, which end when the gate opens. */
  async function crowded() {
    let arrived = 0;
    const gate = Promise.withResolvers<void>();
    const rig = await startRig({
      async getOrder() {
        arrived++;
        await gate.promise;
        return {};
      },
      listOrders: () => ({}),
    });
    const crowd = Array.from({ length: 100 }, () => rig.client.getOrder({}));
    await until(() => arrived === 100);
    return { rig, gate, crowd };
  }

  test("a call waits for a quarter of its time, then is told when to come back", async () => {
    const { rig, gate, crowd } = await crowded();
    await using _ = rig;
    const error = await failureOf(rig.client.getOrder({}, { timeoutMs: 8 }));
    assert.equal(error.code, Code.Unavailable);
    assert.equal(reasonOf(error), Reason.OVERLOADED);
    assert.equal(retryAfterSecondsOf(error), 1);
    assert.equal(await rig.metric("upstream_overloaded_total"), 1);
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "neutral" }), 1);
    gate.resolve();
    await Promise.all(crowd);
  });

  test("a call gets its turn when another one ends", async () => {
    const { rig, gate, crowd } = await crowded();
    await using _ = rig;
    const call = rig.client.listOrders({});
    assert.equal(await rig.metric("upstream_calls_waiting"), 1);
    gate.resolve();
    await call;
    await Promise.all(crowd);
    assert.equal(await rig.metric("upstream_calls_waiting"), 0);
    assert.equal(await rig.metric("upstream_calls_under_way"), 0);
  });

  test("a call whose turn comes when the breaker has opened is not sent", async () => {
    let arrived = 0;
    await using rig = await startRig({
      createOrder() {
        arrived++;
        return never;
      },
    });
    const crowd = Array.from({ length: 100 }, () => failureOf(rig.client.createOrder({})));
    await until(() => arrived === 100);
    const waiting = Array.from({ length: 10 }, () => failureOf(rig.client.createOrder({})));
    await rig.service.crash();
    await Promise.all(crowd);
    const reasons = (await Promise.all(waiting)).map(reasonOf);
    assert.deepEqual(reasons.slice(5), new Array(5).fill(Reason.BREAKER_OPEN));
    assert.equal(arrived, 100);
  });
});
