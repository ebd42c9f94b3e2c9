import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Client, items, register } from "./client.ts";
import type { Databases } from "./databases.ts";
import type { Fleet } from "./fleet.ts";
import type { Killable } from "./fleet-instance.ts";
import type { Chance } from "./random.ts";

/** Few orders go in one statement; these need several, so that a kill can come between two. */
const manyOrders = 5_000;
const fewOrders = 3;
const victimsPerKill = 3;
/** For whatever has to come back, on a slow machine too. */
const patienceMs = 120_000;
/** A purge takes less where nothing is in its way, so kills fall before, into and after it. */
const longestPauseMs = 120;

type Person = Client & { readonly id: string };

/** Who was deleted, and who was not. */
export interface Storm {
  readonly deleted: readonly string[];
  /** Orders of each user that was left alone. */
  readonly kept: ReadonlyMap<string, number>;
}

/** Deletes users with orders, some of whom are placing another one, while processes are killed. */
export async function deleteInStorm(
  fleet: Fleet,
  { orders }: Databases,
  kills: number,
  chance: Chance,
): Promise<Storm> {
  const [gateway] = fleet.gateways;
  const targets = [...fleet.userServices, ...fleet.orderServices, fleet.redis, fleet.postgres];
  const deleted: string[] = [];
  const kept = new Map<string, number>();
  for (let kill = 0; kill < kills; kill++) {
    const url = gateway?.url ?? "";
    const victims = await Promise.all(Array.from({ length: victimsPerKill }, () => enter(url)));
    const bystander = await enter(url);
    for (const [index, { id }] of victims.entries())
      await giveOrders(orders, id, index === 0 ? manyOrders : fewOrders);
    await giveOrders(orders, bystander.id, fewOrders);
    kept.set(bystander.id, fewOrders);

    const ends = victims.flatMap((victim) => [leave(victim), placeUntilRefused(victim)]);
    await sleep(chance.below(longestPauseMs));
    const target = chance.pick(targets);
    target.kill();
    await Promise.all(ends);
    deleted.push(...victims.map(({ id }) => id));
    await whenBack(target);
  }
  return { deleted, kept };
}

/** Registers, however often it takes. An answer that is lost leaves an account of nobody. */
function enter(url: string): Promise<Person> {
  return waitFor("a registration", () => register(url).catch(() => undefined), patienceMs);
}

/** Asks to be deleted until that is answered, or the token is no longer good. */
async function leave(person: Person): Promise<void> {
  await waitFor(
    "a deletion",
    async () => {
      const { status } = await person.delete("/api/users/del");
      return status === 204 || status === 401;
    },
    patienceMs,
  );
}

/** Somebody else's device, with the same token, that knows nothing of it. */
async function placeUntilRefused(person: Person): Promise<void> {
  await waitFor(
    "orders to be refused",
    async () => {
      const { status } = await person.post("/api/orders/add", { items, currencyCode: "EUR" });
      return status === 401;
    },
    patienceMs,
  );
}

async function giveOrders(sql: Databases["orders"], userId: string, count: number): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`insert into owners (user_id) values (${userId}) on conflict do nothing`;
    await tx`
      with placed as (
        insert into orders (id, user_id, items, currency_code, total_minor, note, status, version,
          created_at, updated_at)
        select uuidv7(), ${userId}, ${tx.json([{ sku: "tea-1", quantity: 1, unitPriceMinor: "5" }])},
          'EUR', 5, 'given', 'processing', 1, now(), now()
        from generate_series(1, ${count})
        returning id)
      insert into order_events (order_id, version, actor_id, to_status, reason, created_at)
      select id, 1, ${userId}, 'processing', 'placed', now() from placed`;
  });
}

async function whenBack(target: Killable & { isReady?(): Promise<boolean> }): Promise<void> {
  await waitFor(
    `${target.name} to be back`,
    async () => (target.isReady ? target.isReady() : target.pid !== null),
    patienceMs,
  );
}

/** What the order-service has been asked to do, by its own log and that of who asked. */
export interface Purge {
  readonly userId: string;
  readonly attempts: number;
  readonly removedOrders: number;
}

/** All purges that were carried out, and that their relay lived to tell of. */
export async function purgesOf({ userServices }: Fleet): Promise<Purge[]> {
  const logs = await Promise.all(userServices.map((each) => each.log()));
  return logs
    .flatMap((log) => log.split("\n"))
    .filter((line) => line.includes('"orders purged"'))
    .map((line) => JSON.parse(line) as Purge);
}
