import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { callTimes, connect, startServer, until } from "../grpc/fixture.ts";

const unavailable = () => Promise.reject(new ConnectError("broken", Code.Unavailable));

test("calls spread over all addresses, with one connection each", async () => {
  await using one = await startServer();
  await using two = await startServer();
  await using caller = connect([one.url, two.url]);
  await until(() => {
    void caller.call();
    return one.connections + two.connections === 2;
  });
  await callTimes(caller, 100);
  assert.ok(one.calls > 20 && two.calls > 20, `${one.calls} and ${two.calls} calls`);
  assert.deepEqual([one.connections, two.connections], [1, 1]);
});

test("many first calls at once share one connection", async () => {
  await using server = await startServer();
  await using caller = connect([server.url]);
  await Promise.all(Array.from({ length: 50 }, () => caller.call()));
  assert.deepEqual([server.calls, server.connections], [50, 1]);
});

test("an address that is slow gets few of the calls", async () => {
  const release = Promise.withResolvers<void>();
  await using slow = await startServer();
  await using quick = await startServer();
  await using caller = connect([slow.url, quick.url]);
  await until(() => {
    void caller.call();
    return slow.calls > 0 && quick.calls > 0;
  });
  slow.handle = () => release.promise;
  slow.calls = 0;
  const calls = Array.from({ length: 300 }, async (_, index) => {
    await until(() => quick.calls + slow.calls >= index - 5);
    return caller.call();
  });
  await until(() => quick.calls >= 200);
  assert.ok(slow.calls < 50, `${slow.calls} calls to the slow one`);
  release.resolve();
  await Promise.all(calls);
});

test("an address that goes away costs no call", async () => {
  await using stays = await startServer();
  const goes = await startServer();
  await using caller = connect([stays.url, goes.url]);
  await until(() => {
    void caller.call();
    return stays.calls > 0 && goes.calls > 0;
  });
  await callTimes(caller, 20);
  await goes.grpc.drain(10_000);
  assert.deepEqual(await callTimes(caller, 100), []);
});

test("an address that has just come back is found at once when the other one goes", async () => {
  const goes = await startServer();
  const restarted = await startServer();
  await using caller = connect([goes.url, restarted.url]);
  await until(() => {
    void caller.call();
    return goes.calls > 0 && restarted.calls > 0;
  });
  await restarted.grpc.drain(0);
  await until(() => {
    void caller.call();
    return caller.addresses().some(({ ejected }) => ejected);
  });
  await using back = await startServer(restarted.port);
  await goes.grpc.drain(10_000);
  assert.deepEqual(await callTimes(caller, 20), []);
  assert.ok(back.calls >= 20);
});

test("when all addresses of a name have changed, the resolver is asked before a call fails", async (t) => {
  if (process.platform !== "linux") return t.skip("needs 127.0.0.2");
  const old = await startServer();
  await using fresh = await startServer(old.port, "127.0.0.2");
  let addresses = ["127.0.0.1"];
  const url = `http://orders.internal:${old.port}`;
  await using caller = connect([url], { resolve: async () => addresses, resolveEveryMs: 60_000 });
  await caller.call();
  const resolvedAtMs = performance.now();
  addresses = ["127.0.0.2"];
  await old.grpc.drain(10_000);
  // It is asked once a second at most.
  await until(() => performance.now() > resolvedAtMs + 1_000);
  assert.deepEqual(await callTimes(caller, 10), []);
  assert.equal(fresh.calls, 10);
});

test("an address that answers with failures is left alone for a while", async () => {
  await using good = await startServer();
  await using bad = await startServer();
  bad.handle = unavailable;
  await using caller = connect([good.url, bad.url]);
  await until(() => {
    caller.call().catch(() => {});
    return bad.calls >= 3;
  });
  const before = bad.calls;
  const errors = await callTimes(caller, 200);
  assert.ok(errors.length <= 4, `${errors.length} of 200 calls failed`);
  assert.ok(bad.calls - before <= 4);
});

test("at most half of the addresses are left out, and the last one never", async () => {
  await using one = await startServer();
  await using two = await startServer();
  for (const server of [one, two]) server.handle = unavailable;
  await using both = connect([one.url, two.url]);
  await callTimes(both, 50);
  const [first, second] = [one.calls, two.calls];
  const errors = await callTimes(both, 50);
  assert.equal(one.calls + two.calls - first - second, 50, "every call reaches a server");
  assert.ok(errors.every(({ rawMessage }) => rawMessage === "broken"));
});

test("with two bad addresses of three, one of them is left out", async () => {
  await using good = await startServer();
  await using bad = await startServer();
  await using worse = await startServer();
  for (const server of [bad, worse]) server.handle = unavailable;
  await using caller = connect([good.url, bad.url, worse.url]);
  await until(() => {
    caller.call().catch(() => {});
    return bad.calls >= 10 && worse.calls >= 10;
  });
  const before = bad.calls + worse.calls;
  await callTimes(caller, 100);
  const failed = bad.calls + worse.calls - before;
  assert.ok(failed > 20 && failed < 80, `${failed} of 100 calls failed`);
});

test("new addresses of a name get calls, and those that left get none", async (t) => {
  if (process.platform !== "linux") return t.skip("needs 127.0.0.2");
  await using old = await startServer();
  await using fresh = await startServer(old.port, "127.0.0.2");
  let addresses = ["127.0.0.1"];
  const resolve = async () => addresses;
  const url = `http://orders.internal:${old.port}`;
  await using caller = connect([url], { resolve, resolveEveryMs: 0 });
  await callTimes(caller, 10);
  assert.deepEqual([old.calls, fresh.calls], [10, 0]);
  addresses = ["127.0.0.2"];
  const errors: unknown[] = [];
  await until(() => {
    caller.call().catch((error) => errors.push(error));
    return fresh.calls > 0;
  });
  const left = old.calls;
  assert.deepEqual(await callTimes(caller, 20), []);
  assert.deepEqual([old.calls, errors], [left, []]);
});

test("a resolver that fails later leaves the known addresses in use", async () => {
  await using server = await startServer();
  let asked = 0;
  const resolve = async () => {
    asked += 1;
    if (asked > 1) throw new Error("no resolver");
    return ["127.0.0.1"];
  };
  const url = `http://orders.internal:${server.port}`;
  await using caller = connect([url], { resolve, resolveEveryMs: 0 });
  await until(() => {
    void caller.call();
    return asked > 1;
  });
  assert.deepEqual(await callTimes(caller, 10), []);
});

test("a base URL that makes no sense is refused at once", () => {
  for (const baseUrls of [[], ["order:50052:x"], ["http://order/path"], ["http://order?x=1"]]) {
    assert.throws(() => connect(baseUrls), TypeError);
  }
});

test("it tells of its addresses: connected, with calls under way, left out", async () => {
  await using good = await startServer();
  await using bad = await startServer();
  bad.handle = unavailable;
  await using caller = connect([good.url, bad.url]);
  assert.deepEqual(caller.addresses(), [], "none before the first call");
  await until(() => {
    caller.call().catch(() => {});
    return bad.calls >= 3 && good.calls > 0;
  });
  const of = ({ url }: { url: string }) =>
    caller.addresses().find(({ address }) => address === url);
  await until(() => of(bad)?.ejected === true);
  await until(() => of(good)?.callsUnderWay === 0);
  assert.deepEqual(of(good), {
    address: good.url,
    connected: true,
    ejected: false,
    callsUnderWay: 0,
  });
  const release = Promise.withResolvers<void>();
  good.handle = () => release.promise;
  const call = caller.call();
  await until(() => of(good)?.callsUnderWay === 1);
  release.resolve();
  await call;
});
