import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { failure, reasonOf, retryAfterSecondsOf } from "../rpc/failure.ts";
import { failureOf, startRig, until } from "./upstream-rig.ts";

const never = new Promise<never>(() => {});
const starting = () => new ConnectError("starting", Code.Unavailable);

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

describe("the deadline", () => {
  const timeouts: (number | undefined)[] = [];
  const noteTimeout = (_: unknown, context: HandlerContext) => {
    timeouts.push(context.timeoutMs());
    return {};
  };

  test("is the caller's, but never longer than the upstream's", async () => {
    await using rig = await startRig({ getOrder: noteTimeout }, { timeoutMs: 2_000 });
    for (const timeoutMs of [undefined, 60_000, 700])
      await rig.client.getOrder({}, timeoutMs === undefined ? {} : { timeoutMs });
    const [none = 0, longer = 0, shorter = 0] = timeouts.splice(0);
    assert.ok(none > 1_000 && none <= 2_000, `${none}`);
    assert.ok(longer > 1_000 && longer <= 2_000, `${longer}`);
    assert.ok(shorter <= 700, `${shorter}`);
  });

  test("is less for each attempt", async () => {
    await using rig = await startRig({
      getOrder(_, context) {
        timeouts.push(context.timeoutMs());
        rig.clock.ms += 2_000;
        throw starting();
      },
    });
    assert.equal((await failureOf(rig.client.getOrder({}))).code, Code.Unavailable);
    const [first = 0, second = 0, third = 0] = timeouts.splice(0);
    assert.ok(first > 3_000 && first <= 5_000, `${first}`);
    assert.ok(second > 1_000 && second <= 3_000, `${second}`);
    assert.ok(third <= 1_000, `${third}`);
  });

  test("that has passed already sends nothing", async () => {
    await using rig = await startRig({ getOrder: noteTimeout });
    const error = await failureOf(rig.client.getOrder({}, { timeoutMs: 0 }));
    assert.equal(error.code, Code.DeadlineExceeded);
    assert.equal(timeouts.length, 0);
  });

  test("that would pass during the pause before a retry ends the call at once", async () => {
    let calls = 0;
    await using rig = await startRig(
      {
        getOrder() {
          calls++;
          rig.clock.ms += 4_990;
          throw starting();
        },
      },
      { random: () => 0.99 },
    );
    assert.equal((await failureOf(rig.client.getOrder({}))).rawMessage, "starting");
    assert.equal(calls, 1);
  });

  test("that a hanging upstream lets pass opens the breaker", async () => {
    await using rig = await startRig(
      { getOrder: () => never },
      { timeoutMs: 20, now: () => performance.now() },
    );
    for (let i = 0; i < 6; i++)
      assert.equal((await failureOf(rig.client.getOrder({}))).code, Code.DeadlineExceeded);
    assert.equal(rig.upstream.snapshot().state, "open");
  });

  test("of a caller in a hurry says nothing about the upstream", async () => {
    await using rig = await startRig({ getOrder: () => never });
    for (let i = 0; i < 10; i++) {
      const error = await failureOf(rig.client.getOrder({}, { timeoutMs: 5 }));
      assert.equal(error.code, Code.DeadlineExceeded);
    }
    assert.equal(rig.upstream.snapshot().state, "closed");
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "neutral" }), 10);
  });
});

describe("a retry", () => {
  test("carries a call without side effects over two failures", async () => {
    let calls = 0;
    await using rig = await startRig({
      getOrder() {
        if (++calls < 3) throw starting();
        return {};
      },
    });
    await rig.client.getOrder({});
    assert.equal(calls, 3);
    assert.equal(await rig.metric("upstream_retries_total"), 2);
    assert.deepEqual(rig.upstream.snapshot().window, { calls: 1, failures: 0, slow: 0 });
  });

  test("is the third attempt at last", async () => {
    let calls = 0;
    await using rig = await startRig({
      getOrder() {
        calls++;
        throw starting();
      },
    });
    assert.equal((await failureOf(rig.client.getOrder({}))).code, Code.Unavailable);
    assert.equal(calls, 3);
    assert.deepEqual(rig.upstream.snapshot().window, { calls: 1, failures: 1, slow: 0 });
  });

  test("is not for a call that may have run and must not run twice", async () => {
    let calls = 0;
    await using rig = await startRig({
      createOrder() {
        calls++;
        throw starting();
      },
    });
    await failureOf(rig.client.createOrder({}));
    assert.equal(calls, 1);
  });

  test("is for a call that carries an idempotency key", async () => {
    const keys: (string | null)[] = [];
    await using rig = await startRig({
      createOrder(_, context) {
        keys.push(context.requestHeader.get("idempotency-key"));
        if (keys.length < 3) throw starting();
        return {};
      },
    });
    await rig.client.createOrder({}, { headers: { "Idempotency-Key": "k" } });
    assert.deepEqual(keys, ["k", "k", "k"]);
  });

  test("is for any call that never ran: nobody listened", async () => {
    await using rig = await startRig({});
    await rig.service.crash();
    assert.equal((await failureOf(rig.client.createOrder({}))).code, Code.Unavailable);
    assert.equal(await rig.metric("upstream_retries_total"), 2);
  });

  test("is not sent any more once half of the budget is gone", async () => {
    let calls = 0;
    await using rig = await startRig({
      getOrder() {
        if (++calls % 3 !== 0) throw starting();
        return {};
      },
    });
    for (;;) {
      const before = calls;
      const failed = await rig.client.getOrder({}).then(
        () => false,
        () => true,
      );
      if (failed && calls - before === 1) break;
    }
    const tokens = (await rig.metric("upstream_retry_tokens")) ?? 0;
    assert.ok(tokens <= 50 && tokens > 47, `${tokens}`);
    assert.ok(calls > 70 && calls < 100, `${calls}`);
  });
});

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
