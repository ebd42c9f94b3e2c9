import { setTimeout as sleep } from "node:timers/promises";
import { adminEmail, adminPassword } from "../../dev/own-platform.ts";
import type { OrderRecord } from "./journal.ts";
import { Person, type World } from "./person.ts";

/** People at a time: enough that a process that dies has many an answer not yet given. */
const people = 24;
/** Requests in a life. */
const longestLife = 60;
/** Between two requests of a person. */
const pauseMs = 10;

/** Lets people come, do this and that, and go, until told to stop. Resolves when the last has his answer. */
export async function runTraffic(world: World, stop: AbortSignal): Promise<void> {
  const current = new Set<Person>();
  const come = async () => {
    while (!stop.aborted) {
      const person = new Person(world);
      if (!(await person.register())) continue;
      current.add(person);
      await live(world, person, stop);
      current.delete(person);
    }
  };
  await Promise.all([
    ...Array.from({ length: people }, come),
    administrate(world, () => [...current].flatMap(({ account }) => known(account.orders)), stop),
  ]);
}

async function live({ chance }: World, person: Person, stop: AbortSignal): Promise<void> {
  const { orders } = person.account;
  for (let left = chance.below(longestLife); left > 0 && !stop.aborted; left--) {
    await sleep(pauseMs);
    const mine = known(orders);
    const act = chance.below(100);
    if (act < 35 || mine.length === 0) await person.placeOrder();
    else if (act < 50) await person.placeKeyedOrder();
    else if (act < 65) await person.setStatus(chance.pick(mine), "CANCELLED");
    else if (act < 75) await person.deleteOrder(chance.pick(mine));
    else if (act < 95) await person.list();
    else await person.logIn();
  }
  if (!stop.aborted && chance.below(2) === 0) await person.deleteAccount();
}

/** An administrator finishes orders while their owners cancel them. */
async function administrate(
  world: World,
  pending: () => readonly OrderRecord[],
  stop: AbortSignal,
): Promise<void> {
  const admin = new Person(world, adminEmail);
  while (!stop.aborted && !(await admin.logIn(adminPassword))) await sleep(pauseMs);
  while (!stop.aborted) {
    await sleep(pauseMs);
    const orders = pending();
    if (orders.length > 0) await admin.setStatus(world.chance.pick(orders), "DONE");
  }
}

/** Orders whose id was told, and that are there as far as anybody knows. */
function known(orders: readonly OrderRecord[]): OrderRecord[] {
  return orders.filter(({ ids, deleted }) => ids.size > 0 && deleted !== "yes");
}
