import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { placeOrder } from "../test/basket.ts";
import { createTestPlatform, type TestPlatform, type TestUser } from "../test/platform.ts";
import { openWatch } from "../test/watch.ts";

const { DONE } = OrderStatus;

let platform: TestPlatform;
before(async () => {
  platform = await createTestPlatform(process.env, { copies: 2 });
});
after(() => platform?.stop());

test("a stream says at once where it stands, and then tells each change of one's own orders", async () => {
  const [user, other, admin] = await everybody();
  await placeOrder(user);
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

test("a purge is told order by order", async () => {
  const [user] = await everybody();
  await using watch = openWatch(user);
  await watch.next();
  const orders = [await placeOrder(user), await placeOrder(user)];
  await platform.internal(1).purgeUser({ userId: user.id });
  const told = (await watch.events(4)).slice(2);
  const expected = orders.map(({ id }) => ({ case: "deletedId", value: id }));
  assert.deepEqual(new Set(told.map(String)), new Set(expected.map(String)));
});

async function everybody(): Promise<[user: TestUser, other: TestUser, admin: TestUser]> {
  return [await platform.user(), await platform.user(), await platform.user({ admin: true })];
}
