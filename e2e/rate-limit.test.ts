import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Redis } from "ioredis";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { metricOf } from "./admin-pages.ts";
import { type SecondGateway, shared, startSecondGateway } from "./second-gateway.ts";

/** 250 a minute: 50 at once, and one more each time this has passed. */
const limit = { RATE_LIMIT_IP_PER_MINUTE: "250" };
const refillMs = 300;
let platform: Platform;
let redis: Redis;
before(async () => {
  platform = await startPlatform(shared);
  redis = new Redis((await platform.now()).redis.url);
  redis.on("error", () => {});
});
after(async () => {
  redis.disconnect();
  await platform.stop();
});
beforeEach(forgetCounts);

async function forgetCounts(): Promise<void> {
  const keys = await redis.keys("limit:*");
  if (keys.length > 0) await redis.del(keys);
}

async function get({ url }: SecondGateway, headers: Record<string, string> = {}) {
  const response = await fetch(url, { headers });
  await response.text();
  return response;
}
const fallbacksOf = ({ adminUrl }: SecondGateway) =>
  metricOf(adminUrl, "rate_limit_fallbacks_total");
const passed = (statuses: readonly number[]) => statuses.filter((each) => each === 200).length;

test("of 1,000 requests to two gateways at once just the burst passes, whichever they meet", async () => {
  // A machine that is too busy to let Redis answer in time says nothing about who counts what.
  await waitFor("Redis to give every verdict", async () => {
    await forgetCounts();
    await using one = await startSecondGateway(platform, limit);
    await using other = await startSecondGateway(platform, limit);
    const gateways = [one, other];
    const startedAt = performance.now();
    const statuses = await Promise.all(
      Array.from({ length: 500 }, () =>
        gateways.map(async (each) => (await get(each)).status),
      ).flat(),
    );
    const refilled = Math.ceil((performance.now() - startedAt) / refillMs);
    assert.ok(statuses.every((status) => status === 200 || status === 429));
    for (const gateway of gateways) if ((await fallbacksOf(gateway)) > 0) return false;
    assert.ok(passed(statuses) >= 50, `${passed(statuses)} passed`);
    assert.ok(passed(statuses) <= 50 + refilled, `${passed(statuses)} passed, +${refilled}`);
    return true;
  });
});

test("a gateway that is killed at it leaves no key that would stay for ever", async () => {
  // A key lives as long as it says something: here for a minute.
  const env = { RATE_LIMIT_IP_PER_MINUTE: "1", TRUST_PROXY: "127.0.0.0/8" };
  await using gateway = await startSecondGateway(platform, env);
  let sent = 0;
  // Nobody stops before the gateway has, so it is killed in the middle, however fast it is.
  const askUntilItIsGone = async () => {
    for (;;) {
      const index = sent++;
      await get(gateway, { "x-forwarded-for": `198.18.${index >> 8}.${index & 255}` });
    }
  };
  const clients = Promise.allSettled(Array.from({ length: 100 }, askUntilItIsGone));
  // In Redis: a machine that is too busy for its answers has the gateway count alone.
  await waitFor("some to be counted", async () => (await redis.keys("limit:*")).length >= 50);
  await gateway.stop();
  await clients;
  const keys = await redis.keys("limit:*");
  assert.ok(keys.length > 0, "it had counted");
  const lives = await Promise.all(keys.map((key) => redis.pttl(key)));
  assert.deepEqual(
    keys.filter((_, index) => lives[index] === -1),
    [],
  );
});

test("an address counts as one, whatever it says it is, and is told where it stands", async () => {
  // Three at once, and then one each 4 s: of a machine that stops for so long nothing can be said.
  const told = await waitFor("four requests before one more is allowed", async () => {
    await forgetCounts();
    await using gateway = await startSecondGateway(platform, { RATE_LIMIT_IP_PER_MINUTE: "15" });
    const startedAt = performance.now();
    const answers = await askFromFourAddresses(gateway);
    const isQuick = performance.now() - startedAt < 4_000;
    return isQuick && (await fallbacksOf(gateway)) === 0 && answers;
  });
  assert.deepEqual(told, ["200, 2 left", "200, 1 left", "200, 0 left", "429, 0 left"]);
});

async function askFromFourAddresses(gateway: SecondGateway): Promise<string[]> {
  const told: string[] = [];
  for (let index = 1; index <= 4; index++) {
    const { status, headers } = await get(gateway, { "x-forwarded-for": `203.0.113.${index}` });
    const left = /^"ip";r=(\d+);t=\d+$/.exec(headers.get("ratelimit") ?? "")?.[1];
    told.push(`${status}, ${left} left`);
    if (status === 429) assert.ok(Number(headers.get("retry-after")) >= 1);
    assert.equal(headers.get("ratelimit-policy"), '"ip";q=15;w=60');
  }
  return told;
}

test("Redis stopped, killed, restarted: no request fails for it, and each gateway still counts", async () => {
  const { pid } = (await platform.now()).redis;
  // A machine that is too busy may let the first verdict of Redis come too late.
  await using gateway = await waitFor("a gateway that has heard of Redis", async () => {
    const started = await startSecondGateway(platform, limit);
    assert.equal((await get(started)).status, 200);
    if ((await fallbacksOf(started)) === 0) return started;
    await started.stop();
    return undefined;
  });
  const fallbacks = () => fallbacksOf(gateway);
  const key = "limit:ip:127.0.0.1";
  await waitFor("the count to be forgotten", async () => (await redis.exists(key)) === 0);

  const stoppedAt = performance.now();
  process.kill(pid, "SIGSTOP");
  const held = await Promise.all(
    Array.from({ length: 200 }, async () => (await get(gateway)).status),
  );
  process.kill(pid, "SIGCONT");
  const refilled = Math.ceil((performance.now() - stoppedAt) / refillMs);
  assert.ok(held.every((status) => status === 200 || status === 429));
  assert.ok(passed(held) >= 50 && passed(held) <= 50 + refilled, `${passed(held)} passed`);
  assert.equal(await fallbacks(), 200);
  assert.equal(await redis.exists(key), 0, "commands that came too late have charged nobody");

  const statuses = new Set<number>();
  const under = async (what: string, isOver: () => Promise<boolean>) =>
    waitFor(what, async () => {
      for (const { status } of await Promise.all(Array.from({ length: 5 }, () => get(gateway))))
        statuses.add(status);
      return isOver();
    });
  process.kill(pid, "SIGKILL");
  await under("Redis to be back", async () => (await platform.now()).redis.pid !== pid);
  await under("Redis to count again", async () => {
    const count = await fallbacks();
    await get(gateway);
    return (await fallbacks()) === count && (await redis.exists(key)) === 1;
  });
  assert.deepEqual(
    [...statuses].filter((status) => status !== 200 && status !== 429),
    [],
  );
});
