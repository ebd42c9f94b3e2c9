import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Criticality } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { CallQueue } from "./call-queue.ts";

const { CRITICAL, DEFAULT, SHEDDABLE, UNSPECIFIED } = Criticality;
/** Longer than any test: it ends because of what the test does, not of time. */
const longMs = 60_000;

/** A queue with a limit that the test may change, all turns taken, and a log of who got one. */
function setUp(initial: number) {
  const limit = { value: initial };
  const queue = new CallQueue(() => limit.value);
  while (queue.tryEnter());
  const log: string[] = [];
  const enter = async (name: string, criticality: Criticality = DEFAULT, signal?: AbortSignal) => {
    const hasTurn = await queue.enter(criticality, longMs, signal);
    log.push(hasTurn ? name : `not ${name}`);
  };
  return { limit, queue, log, enter };
}

describe("up to the limit", () => {
  test("calls get their turn at once", async () => {
    const queue = new CallQueue(() => 2);
    assert.equal(await queue.enter(DEFAULT, 0), true);
    assert.equal(queue.tryEnter(), true);
    assert.equal(queue.tryEnter(), false);
    assert.equal(queue.underWay, 2);
  });

  test("a call that leaves makes room for the next", () => {
    const { queue } = setUp(1);
    queue.leave();
    assert.equal(queue.tryEnter(), true);
  });
});

describe("beyond the limit", () => {
  test("the first come get their turn first", async () => {
    const { queue, log, enter } = setUp(3);
    const calls = [enter("a"), enter("b"), enter("c")];
    for (const call of calls) {
      queue.leave();
      await call;
    }
    assert.deepEqual(log, ["a", "b", "c"]);
  });

  test("nobody overtakes those who wait", () => {
    const { queue, limit, enter } = setUp(1);
    void enter("waits").catch(() => {});
    limit.value = 2;
    assert.equal(queue.tryEnter(), false);
    queue.leave();
  });

  test("the more critical go first", async () => {
    const { queue, log, enter } = setUp(4);
    const calls = [
      enter("list", SHEDDABLE),
      enter("order", UNSPECIFIED),
      enter("login", DEFAULT),
      enter("me", CRITICAL),
    ];
    for (let i = 0; i < 4; i++) queue.leave();
    await Promise.all(calls);
    assert.deepEqual(log, ["me", "order", "login", "list"]);
  });

  test("as many wait as may be under way, and the next is turned away at once", async () => {
    const { queue, log, enter } = setUp(2);
    const calls = [enter("a"), enter("b")];
    await enter("c");
    assert.deepEqual(log, ["not c"]);
    assert.equal(queue.waiting, 2);
    queue.leave();
    queue.leave();
    await Promise.all(calls);
  });

  test("a critical call takes the place of the last of the least critical", async () => {
    const { queue, log, enter } = setUp(3);
    const calls = [enter("list 1", SHEDDABLE), enter("list 2", SHEDDABLE), enter("order")];
    calls.push(enter("me", CRITICAL));
    await calls[1];
    assert.deepEqual(log, ["not list 2"]);
    await enter("list 3", SHEDDABLE);
    assert.deepEqual(log, ["not list 2", "not list 3"]);
    for (let i = 0; i < 3; i++) queue.leave();
    await Promise.all(calls);
    assert.deepEqual(log.slice(2), ["me", "order", "list 1"]);
  });

  test("nobody waits longer than they want to", async () => {
    const { queue } = setUp(1);
    assert.equal(await queue.enter(DEFAULT, 0), false);
    assert.equal(await queue.enter(DEFAULT, 1), false);
    assert.equal(queue.waiting, 0);
    queue.leave();
    assert.equal(queue.underWay, 0);
  });

  test("a caller that leaves does not wait on, nor take a turn later", async () => {
    const { queue, log, enter } = setUp(1);
    const controller = new AbortController();
    const call = enter("gone", DEFAULT, controller.signal);
    controller.abort();
    await call;
    assert.deepEqual(log, ["not gone"]);
    await enter("late", DEFAULT, controller.signal);
    assert.deepEqual(log, ["not gone", "not late"]);
    queue.leave();
    assert.equal(queue.underWay, 0);
  });
});

describe("when the limit changes", () => {
  test("a higher one lets more in with the next call that ends", async () => {
    const { queue, limit, enter } = setUp(3);
    const calls = [enter("a"), enter("b"), enter("c")];
    limit.value = 5;
    queue.leave();
    await Promise.all(calls);
    assert.equal(queue.underWay, 5);
  });

  test("a lower one leaves every second turn to the critical, until as many have left", async () => {
    const { limit, queue, log, enter } = setUp(6);
    const calls = [enter("a", SHEDDABLE), enter("b", CRITICAL), enter("c"), enter("d", CRITICAL)];
    limit.value = 3;
    const underWay = Array.from({ length: 5 }, () => {
      queue.leave();
      return queue.underWay;
    });
    assert.deepEqual(underWay, [5, 5, 4, 4, 3]);
    await Promise.all([calls[1], calls[3]]);
    assert.deepEqual(log, ["b", "d"]);
    for (const name of ["c", "a"]) {
      queue.leave();
      await calls[name === "c" ? 2 : 0];
    }
    assert.deepEqual(log, ["b", "d", "c", "a"]);
    assert.equal(queue.underWay, 3);
  });

  test("a lower one lets nobody in until as many have left", async () => {
    const { queue, limit, log, enter } = setUp(3);
    const call = enter("a");
    limit.value = 1;
    queue.leave();
    queue.leave();
    assert.equal(queue.waiting, 1);
    queue.leave();
    await call;
    assert.deepEqual(log, ["a"]);
    assert.equal(queue.underWay, 1);
  });
});
