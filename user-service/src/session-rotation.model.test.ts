import assert from "node:assert/strict";
import { after, before, type TestContext, test } from "node:test";
import type { RedisClient } from "@3l1/kit/stores/redis.ts";
import { createRandom } from "../test/random.ts";
import { openTestRedis } from "../test/redis.ts";
import { type Cast, SessionHistory } from "../test/session-history.ts";

const histories = 1_000;
const steps = 60;
const atOnce = 50;
let redis: RedisClient;
before(async () => {
  redis = await openTestRedis(process.env.TEST_REDIS_URL);
});
after(() => redis.disconnect());

/** Random histories. `MODEL_SEED` repeats those of a run that failed. Brings how often what happened. */
async function play(cast: Cast, t: TestContext): Promise<(outcome: string) => number> {
  const seed = Number(process.env.MODEL_SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`MODEL_SEED=${seed}`);
  const counts = new Map<string, number>();
  for (let first = 0; first < histories; first += atOnce)
    await Promise.all(
      Array.from({ length: atOnce }, async (_, index) => {
        const history = new SessionHistory(redis, createRandom(seed + first + index), cast);
        await history.run(steps);
        for (const [outcome, count] of history.outcomes)
          counts.set(outcome, (counts.get(outcome) ?? 0) + count);
      }),
    );
  t.diagnostic(JSON.stringify(Object.fromEntries(counts)));
  return (outcome) => counts.get(outcome) ?? 0;
}

test("no honest client is ever logged out, whatever is lost, late or repeated", async (t) => {
  const count = await play({ thief: false, failovers: false }, t);
  assert.equal(count("theft") + count("gone"), 0);
  assert.ok(count("rotated") > histories && count("replayed") > histories);
});

test("no honest client is ever logged out by a failover that loses a write", async (t) => {
  const count = await play({ thief: false, failovers: true }, t);
  assert.equal(count("theft") + count("gone"), 0);
});

test("no stolen key outlives the use of the key after it", async (t) => {
  const count = await play({ thief: true, failovers: false }, t);
  assert.ok(count("theft") > histories / 10, "too few thefts to prove anything");
});
