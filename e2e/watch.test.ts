import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { WatchOrdersResponseJson } from "@3l1/gen/order/v1/order_service_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { type EventReader, readEvents, type ServerSentEvent } from "@3l1/kit/event-source.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { ConnectError, createClient, type Client as RpcClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";
import {
  adminEmail,
  adminPassword,
  type Platform,
  type PlatformFile,
  startPlatform,
} from "../dev/own-platform.ts";
import { type Client, logIn, type Problem, placeOrder, register } from "./client.ts";
import { shared, startSecondGateway } from "./second-gateway.ts";

let platform: Platform;
/** Where tokens expire while one watches. */
let hasty: Platform;
let admin: Client;
before(async () => {
  platform = await startPlatform(shared);
  hasty = await startPlatform({ ...shared, ACCESS_TOKEN_TTL_SECONDS: "4" });
  admin = await logIn(platform.gatewayUrl, adminEmail, adminPassword);
});
after(async () => {
  await hasty?.stop();
  await platform.stop();
});

/** Opens the stream as an EventSource would: with the cookie, and where it was. */
async function watch(client: Client, lastEventId = "", url = platform.gatewayUrl) {
  const headers = { ...(client.cookie && { cookie: client.cookie }) };
  const resume = lastEventId === "" ? {} : { "last-event-id": lastEventId };
  const reader = await readEvents(`${url}/api/orders/watch`, { ...headers, ...resume });
  const [cookie] = reader.response.headers.getSetCookie();
  client.cookie = cookie?.split(";")[0] ?? client.cookie;
  return reader;
}

/** Whether a stream has begun, which it says with its first id. */
async function opened(reader: EventReader): Promise<EventReader> {
  assert.equal(reader.response.status, 200);
  await reader.begun();
  return reader;
}

const messageOf = (event: ServerSentEvent | undefined) =>
  (event?.data ?? assert.fail("the stream has ended")) as WatchOrdersResponseJson;

const orderIn = (event: ServerSentEvent | undefined) => {
  const { created, changed, deletedId } = messageOf(event);
  return `${event?.event} ${created?.id ?? changed?.id ?? deletedId}`;
};

test("a user hears of their own orders, whoever changed them, and of nobody else's", async () => {
  const [ann, bob] = [await register(platform.gatewayUrl), await register(platform.gatewayUrl)];
  const events = await opened(await watch(ann));
  await placeOrder(bob);
  const first = await placeOrder(ann);
  await admin.patch("/api/orders/status", { id: first.id, status: "ORDER_STATUS_DONE" });
  const second = await placeOrder(ann, "at the door");
  await ann.delete(`/api/orders/del?id=${second.id}`);
  assert.equal(orderIn(await events.next()), `created ${first.id}`);
  const done = await events.next();
  assert.equal(orderIn(done), `changed ${first.id}`);
  assert.equal(messageOf(done).changed?.status, "ORDER_STATUS_DONE");
  const placed = await events.next();
  assert.equal(messageOf(placed).created?.note, "at the door");
  assert.equal(orderIn(await events.next()), `deleted ${second.id}`);
  events.leave();
});

test("the same over Connect", async () => {
  const ann = await register(platform.gatewayUrl);
  const controller = new AbortController();
  const stream = orders()
    .watchOrders({}, { headers: bearer(ann), signal: controller.signal })
    [Symbol.asyncIterator]();
  assert.equal((await stream.next()).value?.event.case, "heartbeat");
  const order = await placeOrder(ann);
  const { value } = await stream.next();
  assert.equal(value?.event.case, "created");
  assert.equal((value.event.value as { id: string }).id, order.id);
  controller.abort();
  await stream.next().catch(() => {});
});

test("no change is lost or told twice while order-service and gateway are restarted", async (t) => {
  const ann = await register(hasty.gatewayUrl);
  const [noMoreOrders, noMoreWatching] = [new AbortController(), new AbortController()];
  t.after(() => {
    noMoreOrders.abort();
    noMoreWatching.abort();
  });
  const told: string[] = [];
  const placed: string[] = [];
  const first = await opened(await watch(ann, "", hasty.gatewayUrl));
  const watching = keepWatching(ann, first, told, noMoreWatching.signal);
  const placing = keepPlacing(ann, placed, noMoreOrders.signal);
  const someOrders = async () => {
    const before = placed.length;
    await waitFor("orders to be placed", () => placed.length > before + 10, 60_000);
  };
  for (const name of ["orderService", "gateway", "orderService"] as const) {
    await someOrders();
    await restart(name);
  }
  await someOrders();
  noMoreOrders.abort();
  await placing;
  // What was committed but not acknowledged is told as well: the list has it all.
  const expected = await idsOf(ann);
  await waitFor("all orders to be told", () => told.length >= expected.length, 60_000);
  noMoreWatching.abort();
  await watching;
  // An order whose answer was lost may be committed after the next one, so only the set is certain.
  assert.deepEqual(told.toSorted(), expected.toSorted());
  assert.ok(placed.every((id) => told.includes(id)));
  t.diagnostic(`${told.length} orders told`);
});

/** Places orders, one after the other, until it is over. */
async function keepPlacing(client: Client, placed: string[], over: AbortSignal): Promise<void> {
  while (!over.aborted)
    await placeOrder(client).then(
      ({ id }) => placed.push(id),
      () => sleep(200),
    );
}

/** Watches, and comes back each time that the stream ends, until it is over. */
async function keepWatching(
  client: Client,
  first: EventReader,
  told: string[],
  over: AbortSignal,
): Promise<void> {
  let reader: EventReader | undefined = first;
  let { lastEventId } = first;
  over.addEventListener("abort", () => reader?.leave());
  while (!over.aborted) {
    if (reader?.response.status === 200) await follow(reader, told);
    lastEventId = reader?.lastEventId || lastEventId;
    await sleep(200);
    reader = await watch(client, lastEventId, hasty.gatewayUrl).catch(() => undefined);
  }
  reader?.leave();
}

/** Until the stream ends, however it does. */
async function follow(reader: EventReader, told: string[]): Promise<void> {
  for (;;) {
    const event = await reader.next().catch(() => undefined);
    if (event === undefined || event.event === "error") return;
    assert.equal(event.event, "created");
    told.push(messageOf(event).created?.id ?? "");
  }
}

test("an id that cannot be resumed from brings an event named reset", async () => {
  const ann = await register(platform.gatewayUrl);
  const events = await watch(ann, "long-gone");
  const first = await events.next();
  assert.equal(first?.event, "reset");
  const order = await placeOrder(ann);
  assert.equal(orderIn(await events.next()), `created ${order.id}`);
  events.leave();
});

test("logging out ends the streams of the session, and only those", async () => {
  const ann = await register(platform.gatewayUrl);
  const elsewhere = await logIn(platform.gatewayUrl, ann.email, "a long enough passphrase");
  const [events, others] = [await opened(await watch(ann)), await opened(await watch(elsewhere))];
  const cookie = ann.cookie;
  await ann.post("/api/users/out");
  assert.equal(problemOf(await events.next()).reason, "invalid_token");
  assert.equal(await events.next(), undefined);
  const again = await watch(Object.assign(ann, { cookie }), events.lastEventId);
  assert.equal(again.response.status, 401);
  const order = await placeOrder(elsewhere);
  assert.equal(orderIn(await others.next()), `created ${order.id}`);
  others.leave();
});

test("an expired token ends the stream, and with the cookie it goes on where it was", async () => {
  const ann = await register(hasty.gatewayUrl);
  const events = await opened(await watch(ann, "", hasty.gatewayUrl));
  const end = await events.next();
  assert.equal(problemOf(end).reason, "invalid_token");
  assert.equal(await events.next(), undefined);
  const order = await placeOrder(ann);
  const again = await watch(ann, events.lastEventId, hasty.gatewayUrl);
  assert.ok(again.response.headers.get("x-access-token"), "the session brought a new one");
  assert.equal(orderIn(await again.next()), `created ${order.id}`);
  again.leave();
});

test("a gateway that drains sends those who watch to another, where they go on", async () => {
  const ann = await register(platform.gatewayUrl);
  await using gateway = await startSecondGateway(platform);
  const events = await opened(await watch(ann, "", gateway.url));
  const first = await placeOrder(ann);
  assert.equal(orderIn(await events.next()), `created ${first.id}`);
  process.kill(gateway.pid, "SIGTERM");
  assert.equal(problemOf(await events.next()).reason, "draining");
  assert.equal(await events.next(), undefined);
  assert.equal(await gateway.exited, 0);
  const second = await placeOrder(ann);
  const again = await watch(ann, events.lastEventId);
  assert.equal(orderIn(await again.next()), `created ${second.id}`);
  again.leave();
});

test("nobody watches without logging in", async () => {
  const { response } = await readEvents(`${platform.gatewayUrl}/api/orders/watch`);
  assert.equal(response.status, 401);
  assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
  const stream = orders().watchOrders({})[Symbol.asyncIterator]();
  const error = await stream.next().catch(ConnectError.from);
  assert.ok(error instanceof ConnectError && error.rawMessage === "log in first");
});

const problemOf = (event: ServerSentEvent | undefined) => {
  assert.equal(event?.event, "error");
  return event.data as Problem;
};

function orders(): RpcClient<typeof OrderService> {
  return createClient(OrderService, createConnectTransport({ baseUrl: platform.gatewayUrl }));
}

const bearer = ({ token }: Client) => ({ authorization: `Bearer ${token}` });

/** A user's orders, the oldest first. */
async function idsOf(client: Client): Promise<string[]> {
  const ids: string[] = [];
  let pageToken = "";
  do {
    const { body } = await client.get<{ orders: { id: string }[]; nextPageToken: string }>(
      `/api/orders/list?pageSize=100&pageToken=${encodeURIComponent(pageToken)}`,
    );
    ids.push(...body.orders.map(({ id }) => id));
    pageToken = body.nextPageToken;
  } while (pageToken !== "");
  return ids.reverse();
}

/** Kills a process of the platform, and waits until it has been started again and answers. */
async function restart(name: keyof Pick<PlatformFile, "gateway" | "orderService">): Promise<void> {
  const { pid } = (await hasty.now())[name];
  process.kill(pid, "SIGKILL");
  const isReady = async () => {
    const { pid: newPid, adminUrl } = (await hasty.now())[name];
    const answer = await fetch(`${adminUrl}/readyz`).catch(() => undefined);
    return newPid !== pid && answer?.status === 200;
  };
  await waitFor(`another ${name}`, isReady, 60_000);
}
