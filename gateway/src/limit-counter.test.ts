import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createServer, type Socket } from "node:net";
import { after, test } from "node:test";
import { Redis } from "ioredis";
import { charge, type Verdict } from "./gcra.ts";
import { createLimitCounter } from "./limit-counter.ts";
import { createLimitScript } from "./limit-script.ts";
import { limiterProbeMs, limiterTimeoutMs } from "./limits.ts";

const quota = { burst: 3, emissionMs: 20_000 };
const redis = openRedis(process.env.TEST_REDIS_URL);
after(() => redis.disconnect());
const clock = () => performance.now();

function openRedis(url: string | undefined) {
  if (url === undefined) throw new Error("TEST_REDIS_URL is not set: run npm test -- FILE");
  return new Redis(url);
}

/** One that waits for Redis as long as a busy machine needs, where it does not matter how long that is. */
const patientCounter = () => createLimitCounter({ redis, now: clock, timeoutMs: 30_000 });

/** How many of ten requests pass. */
async function passes(counter: ReturnType<typeof createLimitCounter>, key: string) {
  let count = 0;
  for (let i = 0; i < 10; i++) if ((await counter.charge(key, quota)).allowed) count++;
  return count;
}

test("gateways that share a Redis share a count", async () => {
  const key = randomUUID();
  const one = patientCounter();
  const other = patientCounter();
  assert.equal((await one.charge(key, quota)).remaining, 2);
  assert.equal((await other.charge(key, quota)).remaining, 1);
  assert.equal(await passes(one, key), 1);
  const refused = await other.charge(key, quota);
  assert.equal(refused.allowed, false);
  assert.ok(refused.retryAfterMs > 0 && refused.retryAfterMs <= quota.emissionMs);
});

test("keys that are charged together count each for itself, and one that comes twice counts twice", async () => {
  const [one, other] = [randomUUID(), randomUUID()];
  const counter = patientCounter();
  const charges = [one, other, one, one, one].map((key) => counter.charge(key, quota));
  const verdicts = await Promise.all(charges);
  assert.deepEqual(
    verdicts.map(({ allowed, remaining }) => (allowed ? remaining : "no")),
    [2, 2, 1, 0, "no"],
  );
});

test("Redis decides as the algorithm does", async () => {
  const key = `limit-test:${randomUUID()}`;
  const inRedis = createLimitScript(redis);
  let dueMs: number | undefined;
  for (let i = 0; i < 5; i++) {
    const answer = await inRedis([{ key, quota }], 0);
    const [verdict] = answer.verdicts;
    const expected = charge(dueMs, answer.redisTimeUs / 1_000, quota);
    dueMs = expected.dueMs;
    assert.equal(verdict?.allowed, expected.verdict.allowed);
    assert.equal(verdict?.remaining, expected.verdict.remaining);
    assert.ok(Math.abs((verdict?.resetMs ?? 0) - expected.verdict.resetMs) <= 1);
  }
});

test("no key is left behind without an end", async () => {
  const key = randomUUID();
  await createLimitCounter({ redis, now: clock, keyPrefix: "limit-test:" }).charge(key, quota);
  const lifeMs = await redis.pttl(`limit-test:${key}`);
  assert.ok(lifeMs > 0 && lifeMs <= quota.emissionMs + 1, `${lifeMs} ms`);
});

test("a command that comes too late charges nobody", async () => {
  const key = `limit-test:${randomUUID()}`;
  const inRedis = createLimitScript(redis);
  const { redisTimeUs } = await inRedis([{ key: `${key}:clock`, quota }], 0);
  const late = await inRedis([{ key, quota }], redisTimeUs - 1);
  assert.deepEqual(late.verdicts, []);
  assert.equal(await redis.exists(key), 0);
  const inTime = await inRedis([{ key, quota }], redisTimeUs + 60_000_000);
  assert.equal(inTime.verdicts[0]?.remaining, 2);
});

test("a process that was busy itself does not blame Redis for it", async () => {
  let fallbacks = 0;
  const onFallback = () => fallbacks++;
  const counter = createLimitCounter({ redis, now: clock, onFallback });
  const charges: Promise<Verdict>[] = [];
  for (let round = 0; round < 10; round++) {
    // Busy before it asks, and again while the answer is on its way.
    await new Promise(setImmediate);
    keepBusy(2 * limiterTimeoutMs);
    charges.push(counter.charge(randomUUID(), quota));
    await new Promise((resolve) => process.nextTick(resolve));
    if (round % 2 === 0) keepBusy(2 * limiterTimeoutMs);
  }
  for (const { remaining } of await Promise.all(charges)) assert.equal(remaining, 2);
  assert.equal(fallbacks, 0);
});

function keepBusy(ms: number): void {
  for (const untilMs = clock() + ms; clock() < untilMs; );
}

test("when Redis is away this process counts on, with what it has counted before", async () => {
  const proxy = await startProxy();
  const flaky = new Redis(proxy.port, "127.0.0.1", {
    ...authOf(redis),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    retryStrategy: () => 20,
  });
  flaky.on("error", () => {});
  await new Promise((resolve) => flaky.once("ready", resolve));
  let shiftMs = 0;
  const key = randomUUID();
  let fallbacks = 0;
  const onFallback = () => fallbacks++;
  const shiftedNow = () => performance.now() + shiftMs;
  const counter = createLimitCounter({
    redis: flaky,
    now: shiftedNow,
    // Waited for in full once, and long enough for a Redis that is there on a busy machine.
    timeoutMs: 1_000,
    onFallback,
  });
  assert.equal((await counter.charge(key, quota)).remaining, 2);
  proxy.cut();
  assert.equal((await counter.charge(key, quota)).remaining, 1, "counted here");
  assert.equal(await passes(counter, key), 1);
  assert.equal(fallbacks, 11, "the ten tries and the one before");

  proxy.mend();
  await new Promise((resolve) => flaky.once("ready", resolve));
  shiftMs += limiterProbeMs;
  await counter.charge(randomUUID(), quota);
  assert.equal(fallbacks, 12, "nobody waits for the one who tries");
  for (let before = 0; before !== fallbacks; ) {
    before = fallbacks;
    await counter.charge(randomUUID(), quota);
    await new Promise(setImmediate);
  }
  assert.equal((await counter.charge(key, quota)).remaining, 1, "Redis has seen one before");

  proxy.hold();
  await counter.charge(randomUUID(), quota);
  shiftMs += limiterProbeMs;
  const polled = new Promise((resolve) => setImmediate(resolve, "polled"));
  const first = await Promise.race([counter.charge(key, quota), polled]);
  assert.notEqual(first, "polled", "nobody waits for a Redis that is silent, either");
  flaky.disconnect();
  await proxy.stop();
});

function authOf({ options }: Redis) {
  const { username, password, db } = options;
  return { ...(username && { username }), ...(password && { password }), ...(db && { db }) };
}

/** A way to Redis that can be cut. */
async function startProxy() {
  const { host = "127.0.0.1", port = 6379 } = redis.options;
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((client) => {
    if (isCut) return void client.destroy();
    const upstream = new (client.constructor as typeof Socket)();
    upstream.connect(port, host);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => client.destroy());
    }
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as { port: number }).port,
    cut() {
      isCut = true;
      destroyAll();
    },
    /** From now on nothing comes through, and nothing is said. */
    hold() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      isCut = false;
    },
    async stop() {
      destroyAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
