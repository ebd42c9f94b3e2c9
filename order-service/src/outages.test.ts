import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { formatRevocation, revocationStream } from "@3l1/kit/auth/revocations.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { Redis } from "ioredis";
import postgres, { type Sql } from "postgres";
import { basket, placeOrder } from "../test/basket.ts";
import { failureOf } from "../test/failure-of.ts";
import { createTestPlatform, type TestPlatform, type TestUser } from "../test/platform.ts";

let platform: TestPlatform;
let sql: Sql;
before(async () => {
  platform = await createTestPlatform(process.env);
  sql = postgres(platform.databaseUrl, { max: 1 });
});
after(async () => {
  await sql?.end();
  await platform?.stop();
});

const listing = (user: TestUser) =>
  user.orders.listOrders({}).then(
    () => "answer",
    (error) => failureOf(Promise.reject(error)),
  );

const untilItAnswers = (user: TestUser) =>
  waitFor("an answer", async () => (await listing(user)) === "answer");

test("without the signing keys a call is unavailable, and it works as soon as they can be had", async () => {
  const user = await platform.user();
  await platform.toUserService.shut();
  assert.equal(await listing(user), "Unavailable SIGNING_KEYS_UNAVAILABLE");
  await platform.toUserService.open();
  await untilItAnswers(user);
  await platform.toUserService.shut();
  assert.equal(await listing(await platform.user()), "answer", "the key is known by now");
  await platform.toUserService.open();
});

test("without its database every call is unavailable, and it works again by itself", async () => {
  const user = await platform.user();
  const order = await placeOrder(user);
  await platform.toDatabase.shut();
  const { orders } = user;
  const { id } = order;
  const failures = await Promise.all(
    [
      orders.createOrder(basket),
      orders.createOrder(basket, { headers: { "idempotency-key": "k" } }),
      orders.getOrder({ id }),
      orders.listOrders({}),
      orders.setOrderStatus({ id, status: 2 }),
      orders.deleteOrder({ id }),
      orders.listOrderEvents({ id }),
      platform.internal().purgeUser({ userId: user.id }),
    ].map(failureOf),
  );
  assert.deepEqual(new Set(failures), new Set(["Unavailable DATABASE_UNAVAILABLE"]));
  await platform.toDatabase.open();
  await untilItAnswers(user);
  assert.deepEqual((await orders.getOrder({ id })).order, order);
});

test("an order whose answer was lost is answered to whoever asks again with its key", async () => {
  const user = await platform.user();
  const place = (key: string) =>
    user.orders.createOrder(basket, { headers: { "idempotency-key": key } });
  // Often enough that each connection knows the statement, and can run it without hearing anything.
  for (let i = 0; i < 12; i++) await place(`before-${i}`);
  platform.toDatabase.mute();
  const lost = place("k");
  await waitFor("the commit", async () => {
    const kept = await sql`select from idempotency_keys where user_id = ${user.id} and key = 'k'`;
    return kept.length > 0;
  });
  await platform.toDatabase.shut();
  assert.equal(await failureOf(lost), "Unavailable DATABASE_UNAVAILABLE");
  await platform.toDatabase.open();
  await untilItAnswers(user);
  const { order } = await place("k");
  const { orders } = await user.orders.listOrders({});
  assert.equal(orders.length, 13);
  assert.deepEqual(orders[0], order);
});

test("a token that is revoked is good for nothing within a moment", async () => {
  const user = await platform.user();
  assert.equal(await listing(user), "answer");
  const redis = new Redis(process.env.TEST_REDIS_URL ?? "");
  const revocation = { userId: user.id, epoch: 1, untilMs: Date.now() + 60_000 };
  await redis.xadd(revocationStream, "*", "revocation", formatRevocation(revocation));
  await redis.quit();
  await waitFor("a refusal", async () => (await listing(user)) === "Unauthenticated INVALID_TOKEN");
});
