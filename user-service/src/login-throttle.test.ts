import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf, retryAfterSecondsOf } from "@3l1/kit/rpc/failure.ts";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { openTestRedis } from "../test/redis.ts";
import { accountThrottle, networkThrottle, pairThrottle } from "./limits.ts";
import { createLoginThrottle } from "./login-throttle.ts";

let redis: RedisClient;
before(async () => {
  redis = await openTestRedis(process.env.TEST_REDIS_URL);
});
after(() => redis.disconnect());

/** A throttle whose clock the test turns, and an address and an account that no other test has. */
async function setUp() {
  const clockKey = `test:clock:${randomUUID()}`;
  const throttle = createLoginThrottle(
    redis,
    `local now = tonumber(redis.call('GET', '${clockKey}'))\n`,
  );
  const wait = (ms: number) => redis.incrby(clockKey, ms);
  await wait(1_800_000_000_000);
  const random = () => Math.floor(Math.random() * 65_536).toString(16);
  const address = () => `2001:db8:${random()}:${random()}::1`;
  return { throttle, wait, address, ip: address(), email: `${randomUUID()}@example.com` };
}

type World = Awaited<ReturnType<typeof setUp>>;

/** In how many seconds an attempt is welcome; 0: now. */
async function secondsToWait({ throttle }: World, email: string, ip: string): Promise<number> {
  const error = await throttle.begin(email, ip).then(() => undefined, ConnectError.from);
  if (error === undefined) return 0;
  assert.equal(error.code, Code.ResourceExhausted);
  assert.equal(reasonOf(error), Reason.RATE_LIMITED);
  return retryAfterSecondsOf(error) ?? 0;
}

async function fail({ throttle }: World, email: string, ip: string, times = 1): Promise<void> {
  const attempts = await Promise.all(
    Array.from({ length: times }, () => throttle.begin(email, ip)),
  );
  for (const attempt of attempts) await attempt.failed();
}

test("a few wrong passwords cost nothing, then each doubles the wait", async () => {
  const world = await setUp();
  const { email, ip } = world;
  await fail(world, email, ip, pairThrottle.free);
  for (const seconds of [1, 2, 4, 8, 16]) {
    assert.equal(await secondsToWait(world, email, ip), 0);
    await fail(world, email, ip);
    assert.equal(await secondsToWait(world, email, ip), seconds);
    await world.wait(seconds * 1000 - 1);
    assert.equal(await secondsToWait(world, email, ip), 1, "a moment too early");
    await world.wait(1);
  }
});

test("guesses that come all at once are counted all the same", async () => {
  const world = await setUp();
  await fail(world, world.email, world.ip, 40);
  assert.equal(
    await secondsToWait(world, world.email, world.ip),
    pairThrottle.longestWaitMs / 1000,
  );
});

test("waiting has an end, and quiet times are forgiven", async () => {
  const world = await setUp();
  const { email, ip } = world;
  await fail(world, email, ip, 60);
  await world.wait(pairThrottle.longestWaitMs);
  assert.equal(await secondsToWait(world, email, ip), 0);
  const keys = await redis.keys("auth:l:*");
  for (const key of keys) assert.ok((await redis.pttl(key)) > 0, `${key} stays for ever`);
});

test("the right password forgives what was typed wrong before", async () => {
  const world = await setUp();
  const { email, ip } = world;
  await fail(world, email, ip, pairThrottle.free);
  await (await world.throttle.begin(email, ip)).succeeded();
  await fail(world, email, ip, pairThrottle.free);
  assert.equal(await secondsToWait(world, email, ip), 0);
});

test("from many addresses at one account, all have to wait, and nobody longer than a minute", async () => {
  const world = await setUp();
  const { email } = world;
  for (let count = 0; count < accountThrottle.free; count++)
    await fail(world, email, world.address());
  assert.equal(await secondsToWait(world, email, world.ip), 0);
  await fail(world, email.toUpperCase(), world.address());
  assert.equal(await secondsToWait(world, email, world.ip), 1);
  for (let count = 0; count < 20; count++) {
    await world.wait(60_000);
    await fail(world, email, world.address());
  }
  assert.equal(await secondsToWait(world, email, world.ip), accountThrottle.longestWaitMs / 1000);
});

test("one network that tries many accounts has to wait at each, others do not", async () => {
  const world = await setUp();
  for (let count = 0; count <= networkThrottle.free; count++)
    await fail(world, `${randomUUID()}@example.com`, world.ip);
  const neighbour = world.ip.replace("::1", "::2");
  assert.equal(await secondsToWait(world, world.email, neighbour), 1);
  assert.equal(await secondsToWait(world, world.email, world.address()), 0);
});

test("Redis learns no e-mail", async () => {
  const world = await setUp();
  await fail(world, world.email, world.ip);
  const keys = await redis.keys("auth:l:*");
  assert.ok(keys.length > 0 && !keys.some((key) => key.includes("example.com")));
});
