import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import postgres, { type Sql } from "postgres";
import { basket, placeOrder } from "../test/basket.ts";
import { failureOf } from "../test/failure-of.ts";
import { createTestPlatform, type TestPlatform } from "../test/platform.ts";

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

test("a purge removes all orders of one user with all that hangs on them, and nobody else's", async () => {
  const [user, other] = [await platform.user(), await platform.user()];
  await user.orders.createOrder(basket, { headers: { "idempotency-key": "k" } });
  await placeOrder(user);
  const kept = await placeOrder(other);
  const purged = await platform.internal().purgeUser({ userId: user.id });
  assert.equal(purged.removedOrders, 2n);
  assert.deepEqual((await user.orders.listOrders({})).orders, []);
  assert.deepEqual((await other.orders.listOrders({})).orders, [kept]);
  const [left] = await sql`select
    (select count(*)::int from order_events where actor_id = ${user.id}) as events,
    (select count(*)::int from idempotency_keys where user_id = ${user.id}) as keys`;
  assert.deepEqual({ ...left }, { events: 0, keys: 0 });
});

test("a purge leaves no copy of an order in the log of changes, and every change in its place", async () => {
  const [user, other] = [await platform.user(), await platform.user()];
  const { id } = await placeOrder(user);
  await user.orders.setOrderStatus({ id, status: OrderStatus.CANCELLED });
  await placeOrder(other);
  await sql`insert into order_changes (tx, user_id, order_id, kind, "order", created_at)
    select pg_current_xact_id(), ${user.id}, ${id}, 'changed', 'an order', now() from generate_series(1, 1500)`;
  await platform.internal().purgeUser({ userId: user.id });
  const left = await sql`select count(*)::int as changes, count("order")::int as copies
    from order_changes where user_id in (${user.id}, ${other.id})
    group by user_id order by changes desc`;
  assert.deepEqual(
    [...left],
    [
      { changes: 1_503, copies: 0 },
      { changes: 1, copies: 1 },
    ],
  );
});

test("a purged user places no order any more, and a repeat of an old one is no answer either", async () => {
  const user = await platform.user();
  const options = { headers: { "idempotency-key": "k" } };
  await user.orders.createOrder(basket, options);
  await platform.internal().purgeUser({ userId: user.id });
  const attempts = [user.orders.createOrder(basket), user.at(1).createOrder(basket, options)];
  const failures = await Promise.all(attempts.map(failureOf));
  assert.deepEqual(new Set(failures), new Set(["Unauthenticated INVALID_TOKEN"]));
});

test("a user who never ordered can be purged, and a purge repeated", async () => {
  const user = await platform.user();
  for (const copy of [0, 1, 0]) {
    const purged = await platform.internal(copy).purgeUser({ userId: user.id });
    assert.equal(purged.removedOrders, 0n);
  }
  assert.equal(await failureOf(user.orders.createOrder(basket)), "Unauthenticated INVALID_TOKEN");
});

test("a purge waits for an order that is just being placed, and takes it along", async () => {
  const user = await platform.user();
  await user.orders.deleteOrder({ id: (await placeOrder(user)).id });
  // Somebody else holds the key until the end of the block, so the order stays half placed until then.
  const { placing, purging } = await sql.begin(async (holder) => {
    await holder`insert into idempotency_keys values (${user.id}, 'k', '', '', now())`;
    const placing = user.orders.createOrder(basket, { headers: { "idempotency-key": "k" } });
    await waitingFor(1);
    const purging = platform.internal(1).purgeUser({ userId: user.id });
    await Promise.race([purging, waitingFor(2)]);
    await holder`delete from idempotency_keys where user_id = ${user.id}`;
    return { placing, purging };
  });
  assert.ok((await placing).order);
  assert.equal((await purging).removedOrders, 1n);
  assert.deepEqual((await user.orders.listOrders({})).orders, []);
});

test("orders placed while their user is purged do not outlive it", async () => {
  for (let round = 0; round < 10; round++) {
    const user = await platform.user();
    if (round % 2) await placeOrder(user);
    const placing = Array.from({ length: 20 }, (_, i) =>
      user
        .at(i % 2)
        .createOrder(basket)
        .catch(() => undefined),
    );
    await Promise.race(placing);
    await Promise.all([0, 1].map((copy) => platform.internal(copy).purgeUser({ userId: user.id })));
    await Promise.all(placing);
    const { orders } = await user.orders.listOrders({});
    assert.equal(orders.length, 0, `orphans in round ${round}`);
  }
});

test("a purge of thousands of orders goes on in small steps until none is left", async () => {
  const user = await platform.user();
  const { id } = await placeOrder(user);
  await sql`insert into orders select gen_random_uuid(), user_id, items, currency_code, total_minor,
    note, status, version, created_at, updated_at from orders, generate_series(1, 2500)
    where id = ${id}`;
  const purges = await Promise.all(
    [0, 1].map((copy) => platform.internal(copy).purgeUser({ userId: user.id })),
  );
  const removed = purges.reduce((sum, { removedOrders }) => sum + removedOrders, 0n);
  assert.equal(removed, 2_501n);
  assert.deepEqual((await user.orders.listOrders({})).orders, []);
});

test("only a process of the platform purges", async () => {
  const user = await platform.user({ admin: true });
  const attempt = platform.internalOf(user).purgeUser({ userId: user.id });
  assert.equal(await failureOf(attempt), "PermissionDenied");
});

/** Resolves once so many of the services' statements wait for a lock. */
async function waitingFor(count: number): Promise<void> {
  for (;;) {
    const [found] = await sql`select count(*)::int as waiting from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (found?.waiting >= count) return;
  }
}
