import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { isTransportFailure } from "@3l1/kit/grpc/error.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { Code, ConnectError, createClient, type HandlerContext } from "@connectrpc/connect";
import { ParityService } from "./gen/parity/v1/parity_pb.ts";
import { errorOf, stacks, startHop, testAllPairs, upToAMinute } from "./hop.ts";
import { rawServer } from "./raw-peer.ts";

/** Waits until the call's signal is aborted. */
async function untilAborted({ signal }: HandlerContext): Promise<ConnectError> {
  if (!signal.aborted) await once(signal, "abort");
  return ConnectError.from(signal.reason);
}

testAllPairs("a deadline ends the call on both sides", async (pair) => {
  let isAsked = false;
  const aborted = Promise.withResolvers<ConnectError>();
  await using hop = await startHop(pair, {
    async echo({ text }, context) {
      if (text !== "wait") return {};
      isAsked = true;
      aborted.resolve(await untilAborted(context));
      return {};
    },
  });
  await hop.client.echo({ text: "connect" });
  for (const timeoutMs of upToAMinute) {
    const error = await errorOf(hop.client.echo({ text: "wait" }, { timeoutMs }));
    assert.equal(error.code, Code.DeadlineExceeded);
    if (isAsked) break;
  }
  await aborted.promise;
});

testAllPairs("a handler sees how much time is left, and none if none was set", async (pair) => {
  await using hop = await startHop(pair, {
    echo: (_, { timeoutMs }) => ({ text: String(timeoutMs()) }),
  });
  const left = Number((await hop.client.echo({}, { timeoutMs: 30_000 })).text);
  assert.ok(left > 20_000 && left <= 30_000, `${left} ms`);
  assert.equal((await hop.client.echo({})).text, "undefined");
  assert.equal((await hop.client.echo({}, { timeoutMs: 0 })).text, "undefined");
});

testAllPairs("the transport's own deadline holds where a call names none", async (pair) => {
  const setup = { client: { defaultTimeoutMs: 50 } };
  await using hop = await startHop(
    pair,
    {
      async echo(_, context) {
        await untilAborted(context);
        return {};
      },
    },
    setup,
  );
  assert.equal((await errorOf(hop.client.echo({}))).code, Code.DeadlineExceeded);
});

testAllPairs("the server shortens a deadline that is longer than it allows", async (pair) => {
  const asks = {
    echo: (_: unknown, context: HandlerContext) => ({ text: `${context.timeoutMs()}` }),
  };
  await using asking = await startHop(pair, asks, { server: { maxTimeoutMs: 60_000 } });
  const left = Number((await asking.client.echo({}, { timeoutMs: 3_600_000 })).text);
  assert.ok(left <= 60_000, `${left} ms`);
  const waits = { echo: async (_: unknown, context: HandlerContext) => throwLater(context) };
  await using waiting = await startHop(pair, waits, { server: { maxTimeoutMs: 100 } });
  const error = await errorOf(waiting.client.echo({}, { timeoutMs: 3_600_000 }));
  assert.equal(error.code, Code.DeadlineExceeded);
});

testAllPairs("a cancel reaches the handler's signal", async (pair) => {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<ConnectError>();
  await using hop = await startHop(pair, {
    async echo(_, context) {
      started.resolve();
      aborted.resolve(await untilAborted(context));
      return {};
    },
  });
  const controller = new AbortController();
  const call = errorOf(hop.client.echo({}, { signal: controller.signal }));
  await started.promise;
  controller.abort();
  assert.equal((await call).code, Code.Canceled);
  assert.equal((await aborted.promise).code, Code.Canceled);
});

testAllPairs("a call with a signal that is already aborted is never sent", async (pair) => {
  let calls = 0;
  await using hop = await startHop(pair, {
    echo() {
      calls += 1;
      return {};
    },
  });
  const error = await errorOf(hop.client.echo({}, { signal: AbortSignal.abort() }));
  assert.equal(error.code, Code.Canceled);
  await hop.client.echo({});
  assert.equal(calls, 1);
});

testAllPairs("a signal aborted with a ConnectError fails the call with it", async (pair) => {
  await using hop = await startHop(pair, { echo: async (_, context) => throwLater(context) });
  const controller = new AbortController();
  const call = errorOf(hop.client.echo({}, { signal: controller.signal }));
  controller.abort(new ConnectError("no tokens left", Code.ResourceExhausted));
  assert.equal((await call).code, Code.ResourceExhausted);
});

testAllPairs("a handler's signal is aborted when its call has ended", async (pair) => {
  const ended = Promise.withResolvers<void>();
  await using hop = await startHop(pair, {
    echo(_, { signal }) {
      signal.addEventListener("abort", () => ended.resolve());
      return { text: String(signal.aborted) };
    },
  });
  assert.equal((await hop.client.echo({})).text, "false");
  await ended.promise;
});

testAllPairs("a stream ends with the caller's signal", async (pair) => {
  await using hop = await startHop(pair, {
    async *count(_, context) {
      yield { text: "first" };
      await untilAborted(context);
    },
  });
  const controller = new AbortController();
  const stream = hop.client.count({}, { signal: controller.signal });
  const call = (async () => {
    for await (const { text } of stream) {
      assert.equal(text, "first");
      controller.abort();
    }
  })();
  assert.equal((await errorOf(call)).code, Code.Canceled);
});

test("a call without a deadline does not outlive the server's longest", async () => {
  const pair = { client: "own", server: "own" } as const;
  const handlers = { echo: async (_: unknown, context: HandlerContext) => throwLater(context) };
  await using hop = await startHop(pair, handlers, { server: { maxTimeoutMs: 50 } });
  assert.equal((await errorOf(hop.client.echo({}))).code, Code.DeadlineExceeded);
});

for (const stack of stacks) {
  test(`a server that never answers costs no more than the deadline (${stack} client)`, async () => {
    await using silent = await rawServer(() => {});
    await using transport = createGrpcTransport({ baseUrls: [silent.url] }, stack);
    const client = createClient(ParityService, transport);
    const error = await errorOf(client.echo({}, { timeoutMs: 50 }));
    assert.equal(error.code, Code.DeadlineExceeded);
    assert.equal(isTransportFailure(error), false);
  });
}

test("a server that is killed while it works is unavailable, not canceled", async () => {
  const started = Promise.withResolvers<void>();
  const pair = { client: "own", server: "own" } as const;
  await using hop = await startHop(pair, {
    async echo(_, context) {
      started.resolve();
      return throwLater(context);
    },
  });
  const call = errorOf(hop.client.echo({}));
  await started.promise;
  await hop.server.drain(0);
  const error = await call;
  assert.equal(error.code, Code.Unavailable);
  assert.equal(isTransportFailure(error), true);
});

async function throwLater(context: HandlerContext): Promise<never> {
  throw await untilAborted(context);
}
