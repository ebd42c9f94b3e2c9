import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { createLogger } from "../logger.ts";
import { openRedis, type RedisClient, redisReady } from "../stores/redis.ts";
import { waitFor } from "../wait-for.ts";
import type { Caller } from "./caller.ts";
import {
  createRevocations,
  formatRevocation,
  parseRevocation,
  type Revocation,
  revocationStream,
} from "./revocations.ts";

const logger = createLogger("test", "silent");
const url = process.env.TEST_REDIS_URL ?? "";
const minuteMs = 60_000;
const closers: (() => void)[] = [];
let redis: RedisClient;
before(async () => {
  if (!url) throw new Error("TEST_REDIS_URL has to name a Redis; `npm test` sees to it");
  redis = await open();
});
after(() => {
  for (const close of closers) close();
});

async function open(): Promise<RedisClient> {
  const redis = openRedis({ url, name: "test", logger, commandTimeoutMs: 10_000 });
  closers.push(() => redis.disconnect());
  assert.ok(await redisReady(redis, 5_000), "the Redis of the tests does not answer");
  return redis;
}

function follow(options: { now?: () => number; monotonicNow?: () => number } = {}) {
  const revocations = createRevocations({ redis, logger, now: Date.now, ...options });
  closers.push(revocations.close);
  return revocations;
}

const publish = (revocation: Revocation) =>
  redis.xadd(revocationStream, "*", "revocation", formatRevocation(revocation));

const someone = (change: Partial<Caller> = {}): Caller => ({
  userId: randomUUID(),
  sessionId: randomUUID(),
  generation: 0,
  epoch: 3,
  isAdmin: false,
  expiresAtMs: Date.now() + minuteMs,
  ...change,
});
const inAMinute = () => Date.now() + minuteMs;

test("what was revoked before the start is known as soon as it is ready", async () => {
  const caller = someone();
  const { userId, sessionId } = caller;
  // More than one batch, so that reading goes on where it stopped.
  const others = Array.from({ length: 1_500 }, () =>
    publish({ userId: randomUUID(), epoch: 1, untilMs: inAMinute() }),
  );
  await Promise.all([...others, publish({ userId, sessionId, untilMs: inAMinute() })]);
  const revocations = follow();
  assert.equal(await revocations.ready(5_000), true);
  assert.equal(revocations.isRevoked(caller), true);
  assert.equal(revocations.isRevoked(someone({ userId })), false, "another session goes on");
  assert.equal(
    revocations.isRevoked(someone({ sessionId })),
    false,
    "so does another's of the name",
  );
});

test("what is revoked later is heard of", async () => {
  const caller = someone();
  const revocations = follow();
  await revocations.ready(5_000);
  assert.equal(revocations.isRevoked(caller), false);
  await publish({ userId: caller.userId, epoch: 4, untilMs: inAMinute() });
  await waitFor("the revocation", () => revocations.isRevoked(caller));
  assert.equal(revocations.isRevoked({ ...caller, sessionId: randomUUID() }), true);
  assert.equal(revocations.isRevoked({ ...caller, epoch: 4 }), false, "tokens of after are good");
});

test("what is known already is applied ahead of the stream, and never taken back by older news", () => {
  const revocations = follow();
  const caller = someone();
  revocations.apply({ userId: caller.userId, epoch: 4, untilMs: inAMinute() });
  revocations.apply({ userId: caller.userId, epoch: 2, untilMs: inAMinute() });
  assert.equal(revocations.isRevoked(caller), true);
});

test("nothing is missed while the connection is away", async () => {
  const name = `cut-${randomUUID()}`;
  const source = openRedis({ url, name, logger, commandTimeoutMs: 10_000 });
  closers.push(() => source.disconnect());
  const revocations = createRevocations({ redis: source, logger, now: Date.now });
  closers.push(revocations.close);
  await revocations.ready(5_000);
  const caller = someone();
  await killConnections(name);
  await publish({ userId: caller.userId, epoch: 9, untilMs: inAMinute() });
  await waitFor("the revocation", () => revocations.isRevoked(caller));
});

test("it tells for how long it has heard nothing", async () => {
  let now = 5_000;
  const revocations = follow({ monotonicNow: () => now });
  assert.equal(revocations.silentMs(), Number.POSITIVE_INFINITY);
  await revocations.ready(5_000);
  now += 700;
  assert.ok(revocations.silentMs() <= 700);
  revocations.close();
  now += 60_000;
  assert.ok(revocations.silentMs() >= 60_000);
});

test("without Redis it is not ready, and revokes nobody", async () => {
  const away = openRedis({ url: "redis://127.0.0.1:1", name: "", logger, commandTimeoutMs: 100 });
  closers.push(() => away.disconnect());
  const revocations = createRevocations({ redis: away, logger, now: Date.now });
  closers.push(revocations.close);
  assert.equal(await revocations.ready(50), false);
  assert.equal(revocations.isRevoked(someone()), false);
});

test("what can have expired is forgotten", () => {
  const revocations = follow({ now: () => 1_000 });
  const caller = someone();
  revocations.apply({ userId: caller.userId, epoch: 9, untilMs: 1_000 });
  assert.equal(revocations.isRevoked(caller), false);
});

test("a revocation is one line of text, and no other text is one", () => {
  const ofUser = { userId: "u", epoch: 2, untilMs: 5 };
  const ofSession = { userId: "u", sessionId: "s", untilMs: 5 };
  for (const revocation of [ofUser, ofSession])
    assert.deepEqual(parseRevocation(formatRevocation(revocation)), revocation);
  for (const text of ["", "user", "user u x 5", "user u 2 x", "role u 2 5", "session u s"])
    assert.equal(parseRevocation(text), undefined, text);
});

/** Cuts the connections of this name, as a lost network would. */
async function killConnections(name: string): Promise<void> {
  const clients = String(await redis.call("CLIENT", "LIST")).split("\n");
  for (const line of clients.filter((each) => each.includes(`name=${name} `)))
    await redis.call("CLIENT", "KILL", "ID", /^id=(\d+)/.exec(line)?.[1] ?? "");
}

test("it counts the sessions and users whose tokens are refused", () => {
  const revocations = follow();
  assert.equal(revocations.inForce(), 0);
  const { userId, sessionId } = someone();
  for (let i = 0; i < 2; i++) revocations.apply({ userId, sessionId, untilMs: inAMinute() });
  revocations.apply({ userId, epoch: 4, untilMs: inAMinute() });
  assert.equal(revocations.inForce(), 2);
});
