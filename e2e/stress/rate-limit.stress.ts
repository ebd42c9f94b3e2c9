import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { shared, startSecondGateway } from "../second-gateway.ts";
import type { Sample } from "./ask.ts";
import { percentile, startLoad, statuses } from "./load.ts";

let platform: Platform;
before(async () => {
  platform = await startPlatform(shared);
});
after(() => platform.stop());

test("a Redis that falls silent costs 60 ms at first, and nothing after", async (t) => {
  // So many that nobody is refused.
  const env = { RATE_LIMIT_IP_PER_MINUTE: "1000000" };
  await using gateway = await startSecondGateway(platform, env);
  const load = startLoad({ url: gateway.url, perSecond: 200 });
  await sleep(1_000);
  const calmAt = performance.now();
  await sleep(5_000);
  const { pid } = (await platform.now()).redis;
  const stoppedAt = performance.now();
  process.kill(pid, "SIGSTOP");
  try {
    await sleep(8_000);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await load.stop();
  const between = (from: number, to: number) => load.since(from).filter(({ atMs }) => atMs < to);
  const calm = between(calmAt, stoppedAt);
  const first = between(stoppedAt, stoppedAt + 1_000);
  const later = between(stoppedAt + 1_000, stoppedAt + 8_000);
  const p99s = [calm, first, later].map((each) => percentile(each, 0.99));
  const [before = 0, atFirst = 0, after = 0] = p99s;
  t.diagnostic(
    `p99 ${p99s.map((ms) => ms.toFixed(1)).join(" → ")} ms (calm → first second → later)`,
  );
  assert.deepEqual(Object.keys(statuses(load.samples)), ["200"]);
  assert.ok(atFirst - before <= 60, `${before} → ${atFirst} ms`);
  assert.ok(after - before <= 1, `${before} → ${after} ms`);
});

test("two gateways under fire never let more pass than the limit in any minute", async (t) => {
  const env = { RATE_LIMIT_IP_PER_MINUTE: "250" };
  await using one = await startSecondGateway(platform, env);
  await using other = await startSecondGateway(platform, env);
  const loads = [one, other].map(({ url }) => startLoad({ url, perSecond: 25 }));
  await sleep(75_000);
  await Promise.all(loads.map((load) => load.stop()));
  const samples = loads.flatMap((load) => load.samples);
  const passedAt = samples
    .filter(isPassed)
    .map(({ atMs }) => atMs)
    .sort((a, b) => a - b);
  // Less than the time in which one more may pass: an answer is on its way for a moment.
  const minuteMs = 60_000 - 250;
  const most = Math.max(
    ...passedAt.map((from) => passedAt.filter((at) => at >= from && at < from + minuteMs).length),
  );
  const atOnce = passedAt.filter((at) => at < (passedAt[0] ?? 0) + 10_000).length;
  t.diagnostic(
    `${JSON.stringify(statuses(samples))}, ${atOnce} in 10 s, ${most} in a minute at most`,
  );
  assert.deepEqual(Object.keys(statuses(samples)).sort(), ["200", "429"]);
  assert.ok(most <= 250, `${most} in a minute`);
  assert.ok(most >= 240, `${most}: as many as are allowed do pass`);
});

function isPassed({ status }: Sample): boolean {
  return status === 200;
}
