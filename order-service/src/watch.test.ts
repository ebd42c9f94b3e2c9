import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { formatRevocation, revocationStream } from "@3l1/kit/auth/revocations.ts";
import { openDatabase } from "@3l1/kit/stores/database.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Redis } from "ioredis";
import postgres, { type Sql } from "postgres";
import { placeOrder } from "../test/basket.ts";
import { failureOf } from "../test/failure-of.ts";
import { createTestPlatform, type TestPlatform, type TestUser } from "../test/platform.ts";
import { openWatch } from "../test/watch.ts";
import { createChangeLog, forgetOldChanges } from "./change-log.ts";
import { watchersPerUser } from "./limits.ts";
import { orderChanges } from "./schema.ts";

const { DONE } = OrderStatus;

let platform: TestPlatform;
let sql: Sql;
before(async () => {
  platform = await createTestPlatform(process.env, { copies: 2 });
  sql = postgres(platform.databaseUrl, { max: 2 });
});
after(async () => {
  await sql?.end();
  await platform?.stop();
});

test("a stream says at once where it stands, and then tells each change of one's own orders", async () => {
  const [user, other, admin] = await everybody();
  await placeOrder(user);
  await settled();
  await using watch = openWatch(user);
  assert.equal((await watch.next()).event.case, "heartbeat");
  await placeOrder(other);
  const order = await placeOrder(user);
  const { order: done } = await admin.orders.setOrderStatus({ id: order.id, status: DONE });
  const second = await placeOrder(user);
  await user.orders.deleteOrder({ id: second.id });
  assert.deepEqual(await watch.events(4), [
    { case: "created", value: order },
    { case: "changed", value: done },
    { case: "created", value: second },
    { case: "deletedId", value: second.id },
  ]);
});

test("a repeat with the same idempotency key is told once", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user);
  await watch.next();
  const headers = { "idempotency-key": "k" };
  const items = [{ sku: "tea", quantity: 1, unitPriceMinor: 1n }];
  for (const copy of [0, 1, 0])
    await user.at(copy).createOrder({ items, currencyCode: "EUR" }, { headers });
  const last = await placeOrder(user);
  const [, second] = await watch.events(2);
  assert.deepEqual(second, { case: "created", value: last });
});

test("a purge is told order by order", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user);
  await watch.next();
  const ids = [(await placeOrder(user)).id, (await placeOrder(user)).id];
  await platform.internal(1).purgeUser({ userId: user.id });
  const told = (await watch.events(4)).slice(2);
  assert.deepEqual(
    told.map((event) => event.case),
    ["deletedId", "deletedId"],
  );
  assert.deepEqual(told.map(({ value }) => value).sort(), ids.sort());
});

test("changes made through one copy are told by another, and either can be resumed from", async () => {
  const [user] = await everybody();
  const first = openWatch(user, { copy: 1 });
  await first.next();
  const orders = [await placeOrder(user)];
  await first.events(1);
  const { lastEventId } = first;
  await first[Symbol.asyncDispose]();
  for (const copy of [0, 1, 0]) {
    const { order } = await user.at(copy).createOrder({
      items: [{ sku: "tea", quantity: 1, unitPriceMinor: 1n }],
      currencyCode: "EUR",
    });
    assert.ok(order);
    orders.push(order);
  }
  for (const copy of [0, 1]) {
    await using again = openWatch(user, { lastEventId, copy });
    const told = await again.events(3);
    assert.deepEqual(
      told.map(({ value }) => value),
      orders.slice(1),
    );
  }
});

test("the id of a heartbeat is as good to resume from as any", async () => {
  const [user, other] = await everybody();
  const watch = openWatch(user);
  const { eventId } = await watch.next();
  await watch[Symbol.asyncDispose]();
  await placeOrder(other);
  const order = await placeOrder(user);
  await using again = openWatch(user, { lastEventId: eventId, copy: 1 });
  assert.equal((await again.next()).eventId, eventId);
  assert.deepEqual((await again.next()).event, { case: "created", value: order });
});

test("a change waits until no earlier transaction is under way, and none is lost to those who resume", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user);
  await watch.next();
  const earlier = await placeOrder(user);
  await watch.events(1);
  await sql.begin(async (holder) => {
    // Has its id before the next order, and commits after it.
    await holder`insert into order_changes (tx, user_id, order_id, kind, created_at)
      values (pg_current_xact_id(), ${user.id}, ${earlier.id}, 'deleted', now())`;
    await placeOrder(user);
    await waitFor("the later change to be committed", async () => {
      const [found] = await sql`select count(*)::int from order_changes where user_id = ${user.id}`;
      return found?.count === 2;
    });
    // A stream that opens now must not be told a position behind the one that is still open.
    await using between = openWatch(user, { lastEventId: watch.lastEventId });
    assert.equal((await between.next()).eventId, watch.lastEventId);
  });
  const told = await watch.events(2);
  assert.deepEqual(
    told.map((event) => event.case),
    ["deletedId", "created"],
  );
});

test("an id that was never given out is answered with a reset, and the stream goes on from there", async () => {
  const [user] = await everybody();
  await placeOrder(user);
  await settled();
  for (const lastEventId of ["nonsense", "1-1", "0-1", `${2n ** 64n - 1n}-1`, `${2n ** 64n}-1`]) {
    await using watch = openWatch(user, { lastEventId });
    const first = await watch.next();
    assert.deepEqual(first.event, { case: "reset", value: true }, lastEventId);
    const order = await placeOrder(user);
    assert.deepEqual(await watch.events(1), [{ case: "created", value: order }]);
  }
});

test("whoever was away for too long is told to load the list again", async () => {
  const [user] = await everybody();
  const early = openWatch(user);
  const { eventId } = await early.next();
  await placeOrder(user);
  await early.events(1);
  const afterFirst = early.lastEventId;
  await early[Symbol.asyncDispose]();
  await forgetAll();
  await using late = openWatch(user, { lastEventId: eventId });
  assert.equal((await late.next()).event.case, "reset");
  // The last one forgotten is still known: nothing behind it is gone.
  await using watch = openWatch(user, { lastEventId: afterFirst });
  assert.equal((await watch.next()).event.case, "heartbeat");
});

test("a user has eight streams in a process and no more, and a place is free again at once", async () => {
  const [user, other] = await everybody();
  const open = Array.from({ length: watchersPerUser }, () => openWatch(user));
  for (const watch of open) await watch.next();
  const refused = () => failureOf(openWatch(user).next());
  assert.equal(await refused(), "ResourceExhausted TOO_MANY_STREAMS");
  await using another = openWatch(other);
  await another.next();
  await open.pop()?.[Symbol.asyncDispose]();
  await waitFor("a place", async () => {
    const watch = openWatch(user);
    const opened = await watch.next().then(
      () => true,
      () => false,
    );
    open.push(watch);
    return opened;
  });
  for (const watch of open) await watch[Symbol.asyncDispose]();
});

test("a token that is revoked or expires ends the stream", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user);
  await watch.next();
  const redis = new Redis(process.env.TEST_REDIS_URL ?? "");
  const revocation = { userId: user.id, epoch: 1, untilMs: Date.now() + 60_000 };
  await redis.xadd(revocationStream, "*", "revocation", formatRevocation(revocation));
  await redis.quit();
  assert.equal(await failureOf(watch.next()), "Unauthenticated INVALID_TOKEN");
  const brief = await platform.user({ tokenSeconds: 2 });
  await using second = openWatch(brief);
  await second.next();
  assert.equal(await failureOf(second.next()), "Unauthenticated INVALID_TOKEN");
});

test("changes are told also when notices are lost, and without the database nothing ends", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user);
  await watch.next();
  await sql`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name = 'order-service notices' and datname = current_database()`;
  const order = await placeOrder(user);
  assert.deepEqual(await watch.events(1), [{ case: "created", value: order }]);
  await platform.toDatabase.shut();
  await platform.toDatabase.open();
  await waitFor("the database", () =>
    user.orders.listOrders({}).then(
      () => true,
      () => false,
    ),
  );
  const next = await placeOrder(user);
  assert.deepEqual(await watch.events(1), [{ case: "created", value: next }]);
});

test("a copy that ends sends those who watch to another, where they go on", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user, { copy: 1 });
  await watch.next();
  const first = await placeOrder(user);
  await watch.events(1);
  const end = failureOf(watch.next());
  await platform.stopCopy(1);
  assert.equal(await end, "Unavailable DRAINING");
  const second = await placeOrder(user);
  await using again = openWatch(user, { lastEventId: watch.lastEventId });
  assert.deepEqual(await again.events(1), [{ case: "created", value: second }]);
  assert.notEqual(first.id, second.id);
});

async function everybody(): Promise<[user: TestUser, other: TestUser, admin: TestUser]> {
  return [await platform.user(), await platform.user(), await platform.user({ admin: true })];
}

/** Waits until all changes count. Transactions of tests beside this one hold them back: the server is theirs too. */
function settled() {
  return waitFor("transactions under way to end", async () => {
    const [found] = await sql`select bool_and(tx < pg_snapshot_xmin(pg_current_snapshot())) as all
      from order_changes`;
    return found?.all !== false;
  });
}

/** Forgets all changes so far, as the sweep does with old ones, when no transaction beside us holds them back. */
async function forgetAll(): Promise<void> {
  const database = openDatabase(platform.databaseUrl, "test");
  const retention = { keptMs: 0, keptRows: 0, batch: 1_000 };
  const log = createChangeLog(database.db);
  await waitFor("all changes to be forgotten", async () => {
    await forgetOldChanges(log, retention, new AbortController().signal);
    return (await database.db.$count(orderChanges)) === 0;
  });
  await database.close();
}
