import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import type { GrpcServer } from "@3l1/kit/grpc/server.ts";
import type { GrpcStack } from "@3l1/kit/grpc/stack.ts";
import { Code, ConnectError, type HandlerContext } from "@connectrpc/connect";
import { errorOf, stacks, startHop, startServer, testAllPairs } from "./hop.ts";

/** Starts a server in place of another, on its port. */
async function replace(port: number, stack: GrpcStack, text: string): Promise<GrpcServer> {
  const server = startServer(stack, { echo: () => ({ text }) });
  await server.listen(port, "127.0.0.1");
  return server;
}

testAllPairs(
  "a drain lets the calls under way end, and refuses none that was sent",
  async (pair) => {
    const release = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    let calls = 0;
    await using hop = await startHop(pair, {
      async echo() {
        calls += 1;
        if (calls === 20) started.resolve();
        await release.promise;
        return { text: "done" };
      },
    });
    const underWay = Array.from({ length: 20 }, () => hop.client.echo({}));
    await started.promise;
    const drained = hop.server.drain(30_000);
    release.resolve();
    const answers = await Promise.all(underWay);
    assert.ok(answers.every(({ text }) => text === "done"));
    await drained;
  },
);

testAllPairs("what does not end is cut at the deadline of the drain", async (pair) => {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  await using hop = await startHop(pair, {
    async echo(_, { signal }) {
      started.resolve();
      await once(signal, "abort");
      aborted.resolve();
      return {};
    },
  });
  const call = errorOf(hop.client.echo({}));
  await started.promise;
  await hop.server.drain(50);
  assert.equal((await call).code, Code.Unavailable);
  await aborted.promise;
});

testAllPairs("a drain tells streams to end, and their clients to come again", async (pair) => {
  await using hop = await startHop(pair, {
    async *count(_, { signal }: HandlerContext) {
      yield { text: "one" };
      await once(signal, "abort");
      throw signal.reason;
    },
  });
  let drained: Promise<void> | undefined;
  const call = (async () => {
    for await (const { text } of hop.client.count({})) {
      assert.equal(text, "one");
      drained = hop.server.drain(30_000);
    }
  })();
  const error = await errorOf(call);
  assert.deepEqual([error.code, error.rawMessage], [Code.Unavailable, "the server is going away"]);
  await drained;
});

testAllPairs("a server that restarts gets the next call without an error", async (pair) => {
  await using hop = await startHop(pair, { echo: () => ({ text: "old" }) });
  assert.equal((await hop.client.echo({})).text, "old");
  await hop.server.drain(1_000);
  const next = await replace(hop.port, pair.server, "new");
  assert.equal((await hop.client.echo({})).text, "new");
  await hop.transport.close();
  await next.drain(0);
});

testAllPairs("a server that is killed in mid-flight fails those calls alone", async (pair) => {
  const started = Promise.withResolvers<void>();
  const never = new Promise<never>(() => {});
  let running = 0;
  await using hop = await startHop(pair, {
    echo() {
      running += 1;
      if (running === 5) started.resolve();
      return never;
    },
  });
  const calls = Array.from({ length: 5 }, () => errorOf(hop.client.echo({})));
  await started.promise;
  await hop.server.drain(0);
  const next = await replace(hop.port, pair.server, "new");
  for (const error of await Promise.all(calls)) assert.equal(error.code, Code.Unavailable);
  assert.equal((await hop.client.echo({})).text, "new");
  await hop.transport.close();
  await next.drain(0);
});

for (const server of stacks) {
  test(`calls go on without an error while connections are closed under them (${server} server)`, async () => {
    const pair = { client: "own", server } as const;
    await using hop = await startHop(pair, { echo: async ({ text }) => ({ text }) });
    const sessions = new Set<{ close(): void }>();
    hop.server.server.on("session", (session) => sessions.add(session));
    let going = true;
    let answered = 0;
    const caller = async () => {
      while (going) {
        await hop.client.echo({ text: "on" });
        answered += 1;
      }
    };
    const callers = Promise.all(Array.from({ length: 16 }, caller));
    for (let round = 0; round < 10; round++) {
      const target = answered + 200;
      while (answered < target) await new Promise(setImmediate);
      for (const session of sessions) session.close();
      sessions.clear();
    }
    going = false;
    await callers;
    assert.ok(answered >= 2_000);
  });
}

test("a closed transport takes no calls, and lets the open one end", async () => {
  const started = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const pair = { client: "own", server: "own" } as const;
  await using hop = await startHop(pair, {
    async echo() {
      started.resolve();
      await release.promise;
      return { text: "ended" };
    },
  });
  const open = hop.client.echo({});
  await started.promise;
  const closed = hop.transport.close();
  assert.ok((await errorOf(hop.client.echo({}))) instanceof ConnectError);
  release.resolve();
  assert.equal((await open).text, "ended");
  await closed;
});
