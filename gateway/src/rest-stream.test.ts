import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { after, beforeEach, test } from "node:test";
import type {
  OrderService,
  WatchOrdersRequest,
  WatchOrdersResponseSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { type EventReader, readEvents } from "@3l1/kit/event-source.ts";
import { waitFor } from "@3l1/kit/wait-for.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { startGateway } from "../test/gateway.ts";
import { clientsOf, errorOf, protocols } from "../test/rpc-clients.ts";
import { maxStreamsPerUser } from "./limits.ts";

type Answer = MessageInitShape<typeof WatchOrdersResponseSchema>;
type Watch = (request: WatchOrdersRequest, context: HandlerContext) => AsyncGenerator<Answer>;

const path = "/api/orders/watch";
const order = { id: "o1", userId: "ann", note: "at\nthe door" };
const heartbeat: Answer = { eventId: "1-0", event: { case: "heartbeat", value: true } };
const created: Answer = { eventId: "2-1", event: { case: "created", value: order } };
let watch: Watch;
let isRevoked = false;
const options = {
  isRevoked: () => isRevoked,
  order: {
    watchOrders: (request: WatchOrdersRequest, context: HandlerContext) => watch(request, context),
  } satisfies Partial<ServiceImpl<typeof OrderService>>,
};
const gateway = await startGateway(process.env.TEST_REDIS_URL, options);
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;
const read = (headers: Record<string, string> = {}) =>
  readEvents(gateway.url + path, { authorization, ...headers });
beforeEach(() => {
  isRevoked = false;
});

interface Problem {
  readonly code: string;
  readonly reason?: string;
  readonly status: number;
  readonly instance: string;
}

/** The problem that a stream ends with. */
async function lastProblem(events: EventReader): Promise<Problem> {
  const last = await events.next();
  assert.equal(last?.event, "error");
  assert.equal(await events.next(), undefined);
  return last.data as Problem;
}

/** Resolves once the service sees that its call is over. */
async function over({ signal }: HandlerContext): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** A stream of one heartbeat that goes on until the call's end. */
function openEnded() {
  const ended = Promise.withResolvers<void>();
  watch = async function* (_, context) {
    // The end may come as early as here, where it leaves only by `finally`.
    try {
      yield heartbeat;
      await over(context);
    } finally {
      ended.resolve();
    }
  };
  return ended.promise;
}

test("each message is an event with its name, its id, and itself as data", async () => {
  watch = async function* () {
    yield heartbeat;
    yield created;
    yield { eventId: "2-2", event: { case: "deletedId", value: "o1" } };
    yield { eventId: "3-0", event: { case: "reset", value: true } };
  };
  const events = await read();
  const { headers, status } = events.response;
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/event-stream; charset=utf-8");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.equal(headers.get("x-accel-buffering"), "no");
  assert.equal(headers.get("content-encoding"), null);
  const first = await events.next();
  assert.ok(events.retryMs && events.retryMs >= 1_000 && events.retryMs <= 3_000);
  assert.deepEqual([first?.event, first?.lastEventId], ["created", "2-1"]);
  const { eventId, created: placed } = (first?.data ?? {}) as Record<string, typeof order>;
  assert.deepEqual([eventId, placed?.id, placed?.note], ["2-1", "o1", order.note]);
  assert.deepEqual(await events.next(), {
    event: "deleted",
    lastEventId: "2-2",
    data: { eventId: "2-2", deletedId: "o1" },
  });
  assert.deepEqual(await events.next(), {
    event: "reset",
    lastEventId: "3-0",
    data: { eventId: "3-0", reset: true },
  });
  assert.equal(await events.next(), undefined);
});

test("a heartbeat is a comment that brings the id on, and no event", async () => {
  watch = async function* () {
    yield heartbeat;
  };
  const { blocks } = await read({ "accept-encoding": "gzip, br" });
  assert.match((await blocks.next()).value, /^retry: \d+$/);
  assert.equal((await blocks.next()).value, ": heartbeat\nid: 1-0");
  assert.equal((await blocks.next()).done, true);
});

test("the header names where to go on, and counts for more than the address", async () => {
  const seen: string[] = [];
  watch = async function* ({ lastEventId }) {
    seen.push(lastEventId);
    yield heartbeat;
  };
  for (const [query, header] of [
    ["", {}],
    ["?lastEventId=1-1", {}],
    ["", { "last-event-id": "1-2" }],
    ["?last_event_id=1-1", { "last-event-id": "1-3" }],
    ["?lastEventId=1-4", { "last-event-id": "" }],
  ] as const) {
    const events = await readEvents(gateway.url + path + query, { authorization, ...header });
    assert.equal(await events.next(), undefined);
  }
  assert.deepEqual(seen, ["", "1-1", "1-2", "1-3", "1-4"]);
});

test("what fails before the first message is a problem with its status", async () => {
  const problemOf = async (response: Response) => {
    assert.match(response.headers.get("content-type") ?? "", /^application\/problem\+json/);
    return ((await response.json()) as Problem).code;
  };
  const nobody = await gateway.fetch(path);
  assert.deepEqual([nobody.status, await problemOf(nobody)], [401, "unauthenticated"]);
  const unknown = await gateway.fetch(`${path}?nothing=1`, { headers: { authorization } });
  assert.deepEqual([unknown.status, await problemOf(unknown)], [400, "invalid_argument"]);
  // biome-ignore lint/correctness/useYield: refuses before the first message
  watch = async function* () {
    throw new ConnectError("no", Code.Unavailable);
  };
  const { response } = await read();
  assert.deepEqual([response.status, await problemOf(response)], [503, "unavailable"]);
  assert.ok(response.headers.get("retry-after"));
});

test("what fails later is the last event", async () => {
  watch = async function* () {
    yield created;
    throw new ConnectError("secret of 10.0.0.7", Code.Internal);
  };
  const events = await read();
  assert.equal((await events.next())?.event, "created");
  const problem = await lastProblem(events);
  assert.deepEqual([problem.status, problem.code, problem.instance], [500, "internal", path]);
  assert.doesNotMatch(JSON.stringify(problem), /secret|10\.0\.0\.7/);
  assert.equal(events.lastEventId, "2-1", "an error moves no id");
});

test("events come as they happen, and a client that leaves ends the call", async () => {
  const next = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  watch = async function* (_, context) {
    yield heartbeat;
    await next.promise;
    yield created;
    await over(context);
    ended.resolve();
  };
  const events = await read();
  assert.match((await events.blocks.next()).value, /^retry/);
  assert.match((await events.blocks.next()).value, /heartbeat/);
  next.resolve();
  assert.equal((await events.next())?.event, "created");
  events.leave();
  await ended.promise;
});

test("a revoked token ends the stream, and says so", async () => {
  const ended = openEnded();
  const events = await read();
  isRevoked = true;
  assert.equal((await lastProblem(events)).reason, "invalid_token");
  await ended;
});

test("a token that expires ends the stream, over both faces", async () => {
  openEnded();
  const expiring = `Bearer ${await gateway.tokens.issue({ lifeSeconds: 2 })}`;
  const { orders } = clientsOf(protocols["Connect with JSON"](gateway.url));
  const stream = orders.watchOrders({}, { headers: { authorization: expiring } });
  const events = await read({ authorization: expiring });
  const error = await errorOf(Array.fromAsync(stream));
  assert.deepEqual(
    [error.code, error.rawMessage],
    [Code.Unauthenticated, "the access token has expired"],
  );
  assert.equal((await lastProblem(events)).reason, "invalid_token");
});

test("a process that ends sends those who watch elsewhere", async () => {
  await using other = await startGateway(process.env.TEST_REDIS_URL, options);
  const bearer = `Bearer ${await other.tokens.issue()}`;
  openEnded();
  const events = await readEvents(other.url + path, { authorization: bearer });
  other.ending.abort();
  assert.equal((await lastProblem(events)).reason, "draining");
});

test("a user has eight streams and no more, over both faces together; others are not affected", async () => {
  openEnded();
  const { orders } = clientsOf(protocols["Connect with JSON"](gateway.url));
  const headers = { authorization };
  const controller = new AbortController();
  const { signal } = controller;
  const half = maxStreamsPerUser / 2;
  const opened = await Promise.all(Array.from({ length: half }, () => read()));
  const streams = Array.from({ length: half }, () =>
    orders.watchOrders({}, { headers, signal })[Symbol.asyncIterator](),
  );
  await Promise.all(streams.map((stream) => stream.next()));
  const refused = await gateway.fetch(path, { headers });
  assert.equal(refused.status, 429);
  assert.equal(((await refused.json()) as Problem).reason, "too_many_streams");
  const error = await errorOf(Array.fromAsync(orders.watchOrders({}, { headers })));
  assert.equal(error.code, Code.ResourceExhausted);
  const bob = `Bearer ${await gateway.tokens.issue({ userId: "bob" })}`;
  const his = await readEvents(gateway.url + path, { authorization: bob });
  assert.equal(his.response.status, 200);
  his.leave();
  controller.abort();
  await Promise.allSettled(streams.map((stream) => stream.next()));
  await waitFor("a place", async () => {
    const again = await read();
    again.leave();
    return again.response.status === 200;
  });
  for (const { leave } of opened) leave();
});

test("a client that does not read stops the service, and nobody else", async () => {
  let sent = 0;
  watch = async function* (_, { signal }) {
    // Nothing that could be compressed on the way.
    const note = randomBytes(45_000).toString("base64");
    for (; !signal.aborted; sent++)
      yield { eventId: `${sent}`, event: { case: "created", value: { note } } };
  };
  const socket = connect(gateway.port, "127.0.0.1").pause();
  socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\n\r\n`);
  let before = -1;
  await waitFor("the service to wait", async () => {
    const isStill = sent > 0 && sent === before;
    before = sent;
    await new Promise((resolve) => setTimeout(resolve, 500));
    return isStill;
  });
  assert.ok(sent < 500, `${sent} messages of 60 kB`);
  const other = await read();
  for (let i = 0; i < 50; i++) assert.equal((await other.next())?.event, "created");
  other.leave();
  socket.destroy();
});

test("there is no HEAD of a stream", async () => {
  const response = await gateway.fetch(path, { method: "HEAD", headers: { authorization } });
  assert.deepEqual([response.status, response.headers.get("allow")], [405, "GET"]);
});

test("none of all this was an error of the gateway's own", () => {
  const failed = gateway.lines.filter(({ level }) => Number(level) >= 50);
  assert.deepEqual(failed, []);
});
