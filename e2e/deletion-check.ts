import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { openDatabases } from "./databases.ts";
import { deleteInStorm, purgesOf } from "./deletion-storm.ts";
import { startFleet } from "./fleet.ts";
import { createChance } from "./random.ts";

/** A purge that was interrupted is tried again after up to a minute. */
const outboxWithinMs = 150_000;
/** So that a purge whose relay was killed is soon taken over by another. */
const settings = { UPSTREAM_TIMEOUT_MS: "2000" };

/** Deletes users in a storm of kills, waits until all is quiet, and holds what is left to what was promised. */
export async function checkDeletion(t: TestContext, kills: number): Promise<void> {
  const chance = createChance();
  t.diagnostic(`STORY_SEED=${chance.seed}`);
  await using fleet = await startFleet(
    { gateways: 1, userServices: 2, orderServices: 2 },
    settings,
  );
  await using databases = openDatabases(fleet.postgres.url);
  const { users, orders } = databases;

  const { deleted, kept } = await deleteInStorm(fleet, databases, kills, chance);
  await waitFor(
    "the outboxes to be empty",
    async () => {
      const [left] = await users`
      select (select count(*) from purges) + (select count(*) from revocations
        where published_at is null) as count`;
      return Number(left?.count) === 0;
    },
    outboxWithinMs,
  );

  const survivors = await users`select id from users where id in ${users(deleted)}`;
  assert.deepEqual([...survivors], []);
  const orphans = await orders`
    select user_id, count(*) from orders where user_id in ${orders(deleted)} group by user_id`;
  assert.deepEqual([...orphans], []);
  const left = await orders`
    select user_id, count(*)::int as count from orders
    where user_id in ${orders([...kept.keys()])} group by user_id`;
  assert.deepEqual(new Map(left.map(({ user_id, count }) => [user_id, count])), kept);

  const purges = await purgesOf(fleet);
  const takings = purges.map(({ userId, attempts }) => `${userId} ${attempts}`);
  assert.equal(new Set(takings).size, takings.length, "no two relays had a user at a time");
  const again = takings.length - new Set(purges.map(({ userId }) => userId)).size;
  assert.ok(again <= 3 * kills, `${again} purges were carried out twice`);
  t.diagnostic(
    `${deleted.length} deleted, ${takings.length} purges told of, ${again} of them again`,
  );
}
