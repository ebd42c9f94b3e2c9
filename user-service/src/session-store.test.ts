import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { v7 as uuidv7 } from "uuid";
import { openTestRedis } from "../test/redis.ts";
import { storeWithTurnedClock } from "../test/turned-clock.ts";
import { maxSessionsPerUser } from "./limits.ts";

const seconds = 1_000;
const hours = 3_600 * seconds;
const times = {
  rotateAfterMs: 60 * seconds,
  graceMs: 15 * seconds,
  idleMs: 7 * 24 * hours,
  absoluteMs: 30 * 24 * hours,
};
const client = { device: "a browser", ip: "192.0.2.1" };
let redis: RedisClient;
before(async () => {
  redis = await openTestRedis(process.env.TEST_REDIS_URL);
});
after(() => redis.disconnect());

/** A session, whose clock starts at some time and goes by what the test says. */
async function open(userId = uuidv7(), epoch = 0) {
  const { store, turn } = storeWithTurnedClock(redis, times);
  const sessionId = uuidv7();
  let now = 1_800_000_000_000;
  turn(userId, sessionId, now);
  const creation = await store.create({ userId, sessionId, epoch, client });
  return {
    userId,
    sessionId,
    store,
    creation,
    at: () => now,
    wait(ms: number) {
      now += ms;
    },
    /** Shows the key of a generation, and brings what happens and whose key goes on. */
    async show(generation: number, epochNow = epoch, ip = "") {
      turn(userId, sessionId, now);
      const rotation = await store.rotate({ userId, sessionId, generation }, epochNow, ip);
      return "generation" in rotation
        ? `${rotation.outcome} ${rotation.generation}`
        : rotation.outcome;
    },
    confirm: (generation: number) => store.confirm({ userId, sessionId, generation }),
  };
}

test("a young key goes on as it is", async () => {
  const session = await open();
  session.wait(59 * seconds);
  assert.equal(await session.show(0), "fresh 0");
});

test("a key is replaced when it is time, and its successor goes on", async () => {
  const session = await open();
  session.wait(60 * seconds);
  assert.equal(await session.show(0), "rotated 1");
  assert.equal(await session.show(1), "fresh 1");
});

test("500 parallel refreshes make one rotation and get one successor", async () => {
  const session = await open();
  session.wait(hours);
  const outcomes = await Promise.all(Array.from({ length: 500 }, () => session.show(0)));
  assert.equal(outcomes.filter((outcome) => outcome === "rotated 1").length, 1);
  assert.equal(outcomes.filter((outcome) => outcome === "replayed 1").length, 499);
});

test("a lost answer is given again, however late, until the new key is used", async () => {
  const session = await open();
  session.wait(hours);
  assert.equal(await session.show(0), "rotated 1");
  session.wait(24 * hours);
  assert.equal(await session.show(0), "replayed 1");
  assert.equal(await session.show(1), "fresh 1");
  session.wait(15 * seconds);
  assert.equal(await session.show(0), "replayed 1", "sent together with the one before");
  session.wait(1);
  assert.equal(await session.show(0), "theft");
});

test("a token of the new key proves its arrival as well as the key itself", async () => {
  const session = await open();
  session.wait(hours);
  await session.show(0);
  await session.confirm(0);
  session.wait(hours);
  assert.equal(await session.show(0), "replayed 1", "confirming the old one proves nothing");
  await session.confirm(1);
  session.wait(16 * seconds);
  assert.equal(await session.show(0), "theft");
});

test("a key that comes back after its successor is in use ends the session for everybody", async () => {
  const session = await open();
  session.wait(hours);
  await session.show(0);
  await session.show(1);
  session.wait(16 * seconds);
  assert.equal(await session.show(0), "theft");
  assert.equal(await session.show(1), "gone");
  assert.equal(await session.show(0), "gone");
  assert.deepEqual(await session.store.list(session.userId), []);
});

test("a key two generations old is a thief's even within the grace", async () => {
  const session = await open();
  session.wait(hours);
  await session.show(0);
  session.wait(hours);
  await session.show(1);
  assert.equal(await session.show(0), "theft");
});

test("a successor handed out late is not replaced at once, while its siblings are under way", async () => {
  const session = await open();
  session.wait(hours);
  await session.show(0);
  session.wait(hours);
  assert.equal(await session.show(0), "replayed 1");
  session.wait(seconds);
  assert.equal(await session.show(1), "fresh 1");
  assert.equal(await session.show(0), "replayed 1");
});

test("a key ahead of Redis is adopted, since a failover lost what made it", async () => {
  const session = await open();
  session.wait(hours);
  assert.equal(await session.show(3), "fresh 3");
  assert.equal(await session.show(2), "replayed 3");
  session.wait(hours);
  assert.equal(await session.show(3), "rotated 4");
});

test("a session below the user's epoch dies at its next use", async () => {
  const session = await open();
  assert.equal(await session.show(0, 1), "killed");
  assert.equal(await session.show(0, 0), "gone");
});

test("a session ends at its absolute end, used or not", async () => {
  const session = await open();
  session.wait(times.absoluteMs - hours);
  assert.equal(await session.show(0), "rotated 1");
  session.wait(hours);
  assert.equal(await session.show(1), "killed");
});

test("a session lives for the idle time after its last use, and never beyond its end", async () => {
  const session = await open();
  const key = `auth:s:{${session.userId}}:${session.sessionId}`;
  const lifeIs = async (expected: number) => {
    const life = await redis.pttl(key);
    assert.ok(life > expected - 60 * seconds && life <= expected, `${life} of ${expected}`);
  };
  assert.equal(session.creation.outcome === "created" && session.creation.lifeMs, times.idleMs);
  await lifeIs(times.idleMs);
  session.wait(times.absoluteMs - 2 * hours);
  await session.show(0);
  await lifeIs(2 * hours);
});

test("a clock that is set back ends no session and lets no old key live on", async () => {
  const session = await open();
  session.wait(hours);
  await session.show(0);
  session.wait(-2 * hours);
  assert.equal(await session.show(1), "fresh 1");
  session.wait(16 * seconds);
  assert.equal(await session.show(0), "theft");
});

test("a revoked session is gone, and no refresh brings it back", async () => {
  const session = await open();
  await session.store.revokeSession(session.userId, session.sessionId);
  assert.equal(await session.show(0), "gone");
  assert.equal(await session.show(7), "gone");
});

test("500 revocations that race refreshes leave no survivor", async () => {
  const sessions = await Promise.all(Array.from({ length: 500 }, () => open()));
  await Promise.all(
    sessions.map(async (session, index) => {
      const { store, userId, sessionId } = session;
      session.wait(hours);
      const revoke = () =>
        index % 2 ? store.revokeUser(userId, 1) : store.revokeSession(userId, sessionId);
      await Promise.all([session.show(0), revoke(), session.show(0), session.show(1)]);
      assert.equal(await session.show(1), "gone");
      assert.deepEqual(await store.list(userId), []);
    }),
  );
});

test("revoking a user ends the sessions of before, and lets no late login of before in", async () => {
  const old = await open();
  await old.store.revokeUser(old.userId, 1);
  assert.equal(await old.show(0), "gone");
  const late = await open(old.userId, 0);
  assert.deepEqual(late.creation, { outcome: "stale" });
  const fresh = await open(old.userId, 1);
  assert.equal(fresh.creation.outcome, "created");
  await old.store.revokeUser(old.userId, 1);
  assert.equal(await fresh.show(0), "fresh 0", "telling it again does no harm");
});

test("the oldest session makes room when a user has too many", async () => {
  const userId = uuidv7();
  const first = await open(userId);
  for (let count = 1; count < maxSessionsPerUser; count++) {
    const { creation } = await open(userId);
    assert.deepEqual(creation.outcome === "created" && creation.evicted, []);
  }
  const { store, creation } = await open(userId);
  assert.deepEqual(creation.outcome === "created" && creation.evicted, [first.sessionId]);
  assert.equal((await store.list(userId)).length, maxSessionsPerUser);
  assert.equal(await first.show(0), "gone");
});

test("a list shows where and when a session was used, and no session that has expired", async () => {
  const session = await open();
  const expired = await open(session.userId);
  await redis.del(`auth:s:{${session.userId}}:${expired.sessionId}`);
  const createdAt = new Date(session.at());
  session.wait(hours);
  await session.show(0, 0, "192.0.2.99");
  assert.deepEqual(await session.store.list(session.userId), [
    {
      id: session.sessionId,
      device: client.device,
      ip: "192.0.2.99",
      createdAt,
      lastSeenAt: new Date(session.at()),
    },
  ]);
});
