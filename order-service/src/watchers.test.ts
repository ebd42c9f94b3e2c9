import assert from "node:assert/strict";
import { test } from "node:test";
import { WatchOrdersResponseSchema } from "@3l1/gen/order/v1/order_service_pb.ts";
import { create } from "@bufbuild/protobuf";
import { failureOf } from "../test/failure-of.ts";
import type { News } from "./watcher.ts";
import { Watchers } from "./watchers.ts";

const callerNamed = (userId: string, expiresAtMs = 10_000) => ({
  userId,
  sessionId: "s",
  generation: 0,
  epoch: 0,
  isAdmin: false,
  expiresAtMs,
});

const news = (id: bigint): News => ({
  position: { tx: 1n, id },
  message: () => create(WatchOrdersResponseSchema),
});

function setUp() {
  const state = { nowMs: 0, revoked: new Set<string>(), cuts: [] as string[] };
  const watchers = new Watchers({
    isRevoked: ({ userId }) => state.revoked.has(userId),
    metrics: { cut: (reason) => void state.cuts.push(reason), reset: () => {} },
    now: () => state.nowMs,
    maxPerUser: 2,
    maxPerProcess: 3,
    maxWaiting: 2,
  });
  return { state, watchers };
}

test("a reader that is too slow is cut and told to come back, and holds nobody up", async () => {
  const { state, watchers } = setUp();
  const [slow, quick] = [watchers.join(callerNamed("ann")), watchers.join(callerNamed("ann"))];
  const taken: bigint[] = [];
  for (const id of [1n, 2n, 3n, 4n]) {
    watchers.tell("ann", news(id));
    for (const { position } of await quick.take(0)) taken.push(position.id);
  }
  assert.deepEqual(taken, [1n, 2n, 3n, 4n]);
  assert.equal(await failureOf(slow.take(0)), "Unavailable SLOW_READER");
  assert.equal(slow.hasNews, false, "what it did not take is not kept");
  assert.deepEqual(state.cuts, ["slow_reader"]);
});

test("who waits gets news as they come, and nothing after a while without", async () => {
  const { watchers } = setUp();
  const watcher = watchers.join(callerNamed("ann"));
  assert.deepEqual(await watcher.take(1), []);
  const waiting = watcher.take(60_000);
  watchers.tell("bob", news(1n));
  watchers.tell("ann", news(2n));
  assert.deepEqual(
    (await waiting).map(({ position }) => position.id),
    [2n],
  );
});

test("places are counted for each user and for all, and given back", async () => {
  const { watchers } = setUp();
  const join = (userId: string) => failureOf((async () => watchers.join(callerNamed(userId)))());
  const first = watchers.join(callerNamed("ann"));
  watchers.join(callerNamed("ann"));
  assert.equal(await join("ann"), "ResourceExhausted TOO_MANY_STREAMS");
  watchers.join(callerNamed("bob"));
  assert.equal(await join("eve"), "Unavailable OVERLOADED");
  watchers.leave(first);
  watchers.leave(first);
  assert.equal(watchers.count, 2);
  watchers.join(callerNamed("eve"));
});

test("streams end with their token, and only those", async () => {
  const { state, watchers } = setUp();
  const [ann, bob, eve] = [
    watchers.join(callerNamed("ann", 1_000)),
    watchers.join(callerNamed("bob")),
    watchers.join(callerNamed("eve")),
  ];
  state.nowMs = 1_000;
  state.revoked.add("bob");
  watchers.checkTokens();
  watchers.checkTokens();
  assert.equal(await failureOf(ann.take(0)), "Unauthenticated INVALID_TOKEN");
  assert.equal(await failureOf(bob.take(0)), "Unauthenticated INVALID_TOKEN");
  assert.deepEqual(await eve.take(0), []);
  assert.deepEqual(state.cuts, ["token", "token"]);
});
