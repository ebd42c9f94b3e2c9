import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { failureOf, startRig } from "./upstream-rig.ts";

const starting = () => new ConnectError("starting", Code.Unavailable);

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
