import assert from "node:assert/strict";
import { once } from "node:events";
import { after, beforeEach, test } from "node:test";
import { ErrorInfoSchema, Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { startGateway } from "../test/gateway.ts";
import { clientsOf, collect, errorOf, protocols } from "../test/rpc-clients.ts";

type Watch = (context: HandlerContext) => AsyncGenerator<{ eventId: string }>;
let watch: Watch;
let getUser: (context: HandlerContext) => Promise<object>;
let isRevoked = false;
const options = {
  isRevoked: () => isRevoked,
  user: { getUser: (_: unknown, context: HandlerContext) => getUser(context) },
  order: { watchOrders: (_: unknown, context: HandlerContext) => watch(context) },
};
const gateway = await startGateway(process.env.TEST_REDIS_URL, options);
after(() => gateway[Symbol.asyncDispose]());
const headers = { authorization: `Bearer ${await gateway.tokens.issue()}` };
beforeEach(() => {
  isRevoked = false;
});

/** To be tried one after the other: a busy machine may stop for so long that a call never arrives. */
const deadlinesMs = [150, 1_500, 15_000];

/** Resolves once the service sees that its call is over. */
async function over({ signal }: HandlerContext): Promise<void> {
  if (!signal.aborted) await once(signal, "abort");
}

/** A stream of one event that goes on until the call's end. */
function openEnded() {
  const started = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<void>();
  watch = async function* (context) {
    started.resolve();
    // The end may come as early as here, where it leaves only by `finally`.
    try {
      yield { eventId: "1" };
      await over(context);
    } finally {
      ended.resolve();
    }
  };
  return { started: started.promise, ended: ended.promise };
}

for (const [protocol, transportTo] of Object.entries(protocols)) {
  const { users, orders } = clientsOf(transportTo(gateway.url));

  test(`${protocol}: a stream brings each message as it comes`, async () => {
    const next = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    watch = async function* () {
      for (const { promise } of next) yield { eventId: await promise };
    };
    const seen: string[] = [];
    next[0]?.resolve("1");
    for await (const { eventId } of orders.watchOrders({}, { headers })) {
      seen.push(eventId);
      next[1]?.resolve("2");
    }
    assert.deepEqual(seen, ["1", "2"]);
  });

  test(`${protocol}: a stream that fails brings its messages first, then the error`, async () => {
    watch = async function* () {
      yield { eventId: "1" };
      throw new ConnectError("too old", Code.OutOfRange);
    };
    const seen: string[] = [];
    const error = await errorOf(
      (async () => {
        for await (const { eventId } of orders.watchOrders({}, { headers })) seen.push(eventId);
      })(),
    );
    assert.deepEqual([seen, error.code, error.rawMessage], [["1"], Code.OutOfRange, "too old"]);
  });

  test(`${protocol}: a stream without credentials is unauthenticated`, async () => {
    const error = await errorOf(collect(orders.watchOrders({})));
    assert.equal(error.code, Code.Unauthenticated);
    assert.equal(error.metadata.get("www-authenticate"), "Bearer");
  });

  test(`${protocol}: a client that leaves a stream ends the service's call`, async () => {
    const { started, ended } = openEnded();
    const client = new AbortController();
    const left = errorOf(collect(orders.watchOrders({}, { headers, signal: client.signal })));
    await started;
    client.abort();
    assert.equal((await left).code, Code.Canceled);
    await ended;
  });

  test(`${protocol}: a client that leaves a call ends the service's call`, async () => {
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    getUser = async (context) => {
      started.resolve();
      await over(context);
      ended.resolve();
      return {};
    };
    const client = new AbortController();
    const left = errorOf(users.getUser({}, { headers, signal: client.signal }));
    await started.promise;
    client.abort();
    assert.equal((await left).code, Code.Canceled);
    await ended.promise;
  });

  test(`${protocol}: the client's deadline is the service's deadline`, async () => {
    const told = Promise.withResolvers<number | undefined>();
    const ended = Promise.withResolvers<void>();
    let isAsked = false;
    getUser = async (context) => {
      isAsked = true;
      told.resolve(context.timeoutMs());
      await over(context);
      ended.resolve();
      return {};
    };
    for (const deadlineMs of deadlinesMs) {
      const error = await errorOf(users.getUser({}, { headers, timeoutMs: deadlineMs }));
      assert.equal(error.code, Code.DeadlineExceeded);
      if (!isAsked) continue;
      const timeoutMs = await told.promise;
      assert.ok(timeoutMs !== undefined && timeoutMs <= deadlineMs, `${timeoutMs}`);
      break;
    }
    await ended.promise;
  });

  test(`${protocol}: a deadline ends a stream`, async () => {
    const { started, ended } = openEnded();
    let isOpen = false;
    void started.then(() => (isOpen = true));
    for (const timeoutMs of deadlinesMs) {
      const error = await errorOf(collect(orders.watchOrders({}, { headers, timeoutMs })));
      assert.equal(error.code, Code.DeadlineExceeded);
      if (isOpen) break;
    }
    await ended;
  });
}

test("a revoked token ends the stream that it opened", async () => {
  const { orders } = clientsOf(protocols["Connect with JSON"](gateway.url));
  const { ended } = openEnded();
  const seen: string[] = [];
  const error = await errorOf(
    (async () => {
      for await (const { eventId } of orders.watchOrders({}, { headers })) {
        seen.push(eventId);
        isRevoked = true;
      }
    })(),
  );
  assert.deepEqual([seen, error.code], [["1"], Code.Unauthenticated]);
  await ended;
});

test("a method that the service does not have is unimplemented", async () => {
  await using other = await startGateway(process.env.TEST_REDIS_URL);
  const authorization = `Bearer ${await other.tokens.issue()}`;
  for (const transportTo of Object.values(protocols)) {
    const { orders } = clientsOf(transportTo(other.url));
    const error = await errorOf(collect(orders.watchOrders({}, { headers: { authorization } })));
    assert.equal(error.code, Code.Unimplemented);
  }
});

test("a stream is no reason to turn a request away", async () => {
  getUser = async () => ({});
  await using narrow = await startGateway(process.env.TEST_REDIS_URL, {
    ...options,
    env: { MAX_CONCURRENT_REQUESTS: "1" },
  });
  const headers = { authorization: `Bearer ${await narrow.tokens.issue()}` };
  const { users, orders } = clientsOf(protocols["Connect with JSON"](narrow.url));
  const { started, ended } = openEnded();
  const client = new AbortController();
  const left = errorOf(collect(orders.watchOrders({}, { headers, signal: client.signal })));
  await started;
  await users.getUser({}, { headers });
  client.abort();
  await Promise.all([left, ended]);
});

test("a process that ends sends those who watch to another", async () => {
  await using other = await startGateway(process.env.TEST_REDIS_URL, options);
  const authorization = `Bearer ${await other.tokens.issue()}`;
  const { orders } = clientsOf(protocols["Connect with JSON"](other.url));
  const { ended } = openEnded();
  const error = await errorOf(
    (async () => {
      for await (const _ of orders.watchOrders({}, { headers: { authorization } }))
        other.ending.abort();
    })(),
  );
  assert.equal(error.code, Code.Unavailable);
  assert.equal(error.findDetails(ErrorInfoSchema)[0]?.reason, Reason.DRAINING);
  await ended;
});

test("none of all this was an error of the gateway's own", () => {
  const failed = gateway.lines.filter(({ level }) => Number(level) >= 50);
  assert.deepEqual(failed, []);
});

test("so many wait for a stream's end that Node.js must not take them for a leak", async () => {
  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  process.on("warning", note);
  // As in the running gateway, where tracing waits as well.
  gateway.app.server.on("request", (_request, response) => {
    for (const waiting of ["connections", "tracing"]) response.once("close", () => waiting);
  });
  const answer = await fetch(`${gateway.url}/order.v1.OrderService/WatchOrders`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/connect+json" },
    body: Buffer.from("\0\0\0\0\x03[1]"),
  });
  assert.match(await answer.text(), /invalid_argument/);
  await new Promise(setImmediate);
  process.off("warning", note);
  assert.deepEqual(warnings, []);
});
