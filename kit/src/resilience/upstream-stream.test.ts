import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { reasonOf } from "../rpc/failure.ts";
import { failureOf, startRig, type UpstreamRig, until } from "./upstream-rig.ts";

/** A watch that says hello and then nothing until its caller leaves. */
async function* quiet(_: unknown, { signal }: HandlerContext) {
  yield { eventId: "hello" };
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

/** A watch that its caller can leave, after the first event. */
async function watch({ client }: UpstreamRig) {
  const controller = new AbortController();
  const events = client.watchOrders({}, { signal: controller.signal })[Symbol.asyncIterator]();
  const first = await events.next();
  return { first: first.value?.eventId, events, leave: () => controller.abort() };
}

describe("a stream", () => {
  test("passes every event, ends with its upstream, and then takes no place any more", async () => {
    await using rig = await startRig({
      async *watchOrders() {
        for (const eventId of ["1", "2", "3"]) yield { eventId };
      },
    });
    const seen: string[] = [];
    for await (const { eventId } of rig.client.watchOrders({})) {
      seen.push(eventId);
      assert.equal(await rig.metric("upstream_streams_open"), 1);
    }
    assert.deepEqual(seen, ["1", "2", "3"]);
    assert.equal(await rig.metric("upstream_streams_open"), 0);
    assert.equal(await rig.metric("breaker_outcomes_total", { class: "success" }), 1);
  });

  test("takes no place any more once its caller has left", async () => {
    await using rig = await startRig({ watchOrders: quiet });
    const { first, events, leave } = await watch(rig);
    assert.equal(first, "hello");
    leave();
    assert.equal(await rig.metric("upstream_streams_open"), 0);
    assert.equal((await failureOf(events.next())).code, Code.Canceled);
  });

  test("has no deadline but its caller's", async () => {
    let timeoutMs: number | undefined = -1;
    await using rig = await startRig({
      async *watchOrders(_, context) {
        timeoutMs = context.timeoutMs();
        yield {};
      },
    });
    for await (const _ of rig.client.watchOrders({}));
    assert.equal(timeoutMs, undefined);
    for await (const _ of rig.client.watchOrders({}, { timeoutMs: 60_000 }));
    assert.ok(timeoutMs !== undefined && timeoutMs > 50_000);
  });

  test("takes no turn of the unary calls", async () => {
    await using rig = await startRig({ watchOrders: quiet });
    const { leave } = await watch(rig);
    assert.equal(await rig.metric("upstream_calls_under_way"), 0);
    leave();
  });
});

describe("to the breaker", () => {
  test("a stream that is cut in the middle is not available any more, and not a failed start", async () => {
    await using rig = await startRig({ watchOrders: quiet });
    const { events } = await watch(rig);
    rig.service.cut();
    assert.equal((await failureOf(events.next())).code, Code.Unavailable);
    assert.deepEqual(rig.upstream.snapshot().window, { calls: 1, failures: 0, slow: 0 });
    assert.equal(await rig.metric("upstream_streams_open"), 0);
  });

  test("a stream that cannot start has failed, and is not tried again", async () => {
    await using rig = await startRig({});
    await rig.service.crash();
    for (let i = 0; i < 6; i++) {
      const events = rig.client.watchOrders({})[Symbol.asyncIterator]();
      assert.equal((await failureOf(events.next())).code, Code.Unavailable);
    }
    assert.equal(await rig.metric("upstream_retries_total"), 0);
    assert.equal(await rig.metric("upstream_streams_open"), 0);
    const events = rig.client.watchOrders({})[Symbol.asyncIterator]();
    assert.equal(reasonOf(await failureOf(events.next())), Reason.BREAKER_OPEN);
  });

  test("a stream that its upstream refuses at once is as good as its answer", async () => {
    await using rig = await startRig({
      // biome-ignore lint/correctness/useYield: refuses before the first event
      async *watchOrders({ lastEventId }) {
        throw new ConnectError(
          "no",
          lastEventId === "bad" ? Code.InvalidArgument : Code.Unavailable,
        );
      },
    });
    const start = (lastEventId: string) =>
      failureOf(rig.client.watchOrders({ lastEventId })[Symbol.asyncIterator]().next());
    assert.equal((await start("bad")).code, Code.InvalidArgument);
    assert.deepEqual(rig.upstream.snapshot().window, { calls: 1, failures: 0, slow: 0 });
    assert.equal((await start("")).code, Code.Unavailable);
    assert.deepEqual(rig.upstream.snapshot().window, { calls: 2, failures: 1, slow: 0 });
  });

  test("a stream that is silent says nothing, and gives its lease back", async () => {
    await using rig = await startRig(
      {
        async *watchOrders(_, { signal }) {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          yield {};
        },
      },
      { timeoutMs: 10 },
    );
    const controller = new AbortController();
    const { signal } = controller;
    const silent = rig.client.watchOrders({}, { signal })[Symbol.asyncIterator]().next();
    const end = failureOf(silent);
    const isNeutral = { class: "neutral" };
    await until(async () => (await rig.metric("breaker_outcomes_total", isNeutral)) === 1);
    assert.equal(await rig.metric("upstream_streams_open"), 1);
    controller.abort();
    assert.equal((await end).code, Code.Canceled);
    assert.equal(await rig.metric("breaker_outcomes_total"), 1);
    assert.equal(await rig.metric("upstream_streams_open"), 0);
  });
});

test("no more streams are open at once than the upstream was given room for", async () => {
  let arrived = 0;
  const rooms = 50;
  const handlers = {
    async *watchOrders(_: unknown, { signal }: HandlerContext) {
      arrived++;
      yield {};
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  };
  await using rig = await startRig(handlers, { maxStreams: rooms });
  const controller = new AbortController();
  const { signal } = controller;
  const start = () => rig.client.watchOrders({}, { signal })[Symbol.asyncIterator]().next();
  await Promise.all(Array.from({ length: rooms }, start));
  assert.equal(arrived, rooms);
  const error = await failureOf(start());
  assert.equal(error.code, Code.Unavailable);
  assert.equal(reasonOf(error), Reason.OVERLOADED);
  controller.abort();
  assert.equal(await rig.metric("upstream_streams_open"), 0);
});
