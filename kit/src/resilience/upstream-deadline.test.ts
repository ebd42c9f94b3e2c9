import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { failureOf, startRig } from "./upstream-rig.ts";

const never = new Promise<never>(() => {});
const starting = () => new ConnectError("starting", Code.Unavailable);

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
