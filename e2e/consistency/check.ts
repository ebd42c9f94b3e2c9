import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { openDatabases } from "../databases.ts";
import { type Fleet, startFleet } from "../fleet.ts";
import type { Killable } from "../fleet-instance.ts";
import { createChance } from "../random.ts";
import { audit } from "./audit.ts";
import { createJournal, summaryOf } from "./journal.ts";
import { runTraffic } from "./traffic.ts";

const outboxWithinMs = 150_000;
/** Tokens are renewed and session keys replaced while processes die. */
const settings = {
  UPSTREAM_TIMEOUT_MS: "2000",
  ACCESS_TOKEN_TTL_SECONDS: "4",
  SESSION_ROTATE_AFTER_SECONDS: "3",
  SESSION_GRACE_SECONDS: "2",
};

/**
 * Runs traffic for some seconds while each process in turn is killed and comes back, then holds what
 * clients were told against what the databases have.
 */
export async function checkConsistency(t: TestContext, seconds: number): Promise<void> {
  const chance = createChance();
  t.diagnostic(`STORY_SEED=${chance.seed}`);
  await using fleet = await startFleet(
    { gateways: 2, userServices: 2, orderServices: 2 },
    settings,
  );
  const journal = createJournal();
  const world = { urls: fleet.gateways.map(({ url }) => url), journal, chance };
  const until = AbortSignal.timeout(seconds * 1000);
  const [kills] = await Promise.all([killInTurn(fleet, until), runTraffic(world, until)]);

  await using databases = openDatabases(fleet.postgres.url);
  await waitFor(
    "the purges to be done",
    async () => (await databases.users`select from purges`).length === 0,
    outboxWithinMs,
  );
  const wrong = await audit(journal, databases);
  t.diagnostic(`${kills} kills, ${journal.accounts.length} accounts`);
  for (const line of summaryOf(journal)) t.diagnostic(line);
  assert.deepEqual([...journal.wrong, ...wrong], []);
  for (const kind of ["create", "create with key"])
    assert.ok(journal.counts.get(kind)?.get("201"), `no ${kind} succeeded`);
}

type Target = Killable & { isReady?(): Promise<boolean> };

/** Kills one of each kind after the other, when all of its kind are there. */
async function killInTurn(fleet: Fleet, until: AbortSignal): Promise<number> {
  const { gateways, userServices, orderServices, redis, postgres } = fleet;
  const kinds: readonly (readonly Target[])[] = [
    gateways,
    userServices,
    [postgres, redis],
    orderServices,
  ];
  let kills = 0;
  for (; !until.aborted; kills++) {
    const kind = kinds[kills % kinds.length] ?? [];
    kind[Math.floor(kills / kinds.length) % kind.length]?.kill();
    await sleep(pauseMs, undefined, { signal: until }).catch(() => {});
    const next = kinds[(kills + 1) % kinds.length] ?? [];
    await waitFor("what was killed before to be back", () => areBack(next));
  }
  await waitFor("all to be back", () => areBack(kinds.flat()));
  return kills;
}

async function areBack(targets: readonly Target[]): Promise<boolean> {
  const back = targets.map(({ pid, isReady }) => pid !== null && (isReady?.() ?? true));
  return (await Promise.all(back)).every(Boolean);
}

/** Between two kills, while a process needs some two seconds to be back: now and then all are there. */
const pauseMs = 1_500;
