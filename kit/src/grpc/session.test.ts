import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { test } from "node:test";
import { Worker } from "node:worker_threads";
import { Code, ConnectError } from "@connectrpc/connect";
import { neverRan } from "./error.ts";
import { callTimes, connect, startServer, until } from "./fixture.ts";
import { defaultSessionTimings } from "./session.ts";

/** Passes bytes on to a port, until it is told to freeze the connections that it has. */
async function startProxy(port: number) {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((inbound) => {
    const outbound = net.connect(port, "127.0.0.1");
    for (const socket of [inbound, outbound]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    inbound.pipe(outbound).pipe(inbound);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    freeze() {
      for (const socket of sockets) socket.unpipe().pause();
    },
    [Symbol.dispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

test("a silent peer is found while calls wait for it", async () => {
  await using server = await startServer();
  const never = new Promise<void>(() => {});
  using proxy = await startProxy(server.port);
  const timings = { ...defaultSessionTimings, pingAfterMs: 200, pingTimeoutMs: 500 };
  await using caller = connect([proxy.url], { timings });
  await caller.call();
  server.handle = () => never;
  const call = caller.call(60_000).catch(ConnectError.from);
  await until(() => server.calls === 2);
  proxy.freeze();
  const error = await call;
  assert.ok(error instanceof ConnectError);
  assert.deepEqual([error.code, neverRan(error)], [Code.Unavailable, false]);
});

test("a slow handler is not a silent peer", async () => {
  await using server = await startServer();
  const timings = { ...defaultSessionTimings, pingAfterMs: 20, pingTimeoutMs: 2_000 };
  await using caller = connect([server.url], { timings });
  server.handle = () => new Promise((resolve) => setTimeout(resolve, 200));
  await caller.call();
  assert.equal(server.connections, 1);
});

test("a connection that died while nobody used it costs no call", async () => {
  await using server = await startServer();
  using proxy = await startProxy(server.port);
  // Long enough for the first call on a busy machine: the answer to a ping during it, read after the freeze,
  // would make the connection seem alive.
  const timings = { ...defaultSessionTimings, pingAfterMs: 1_000, pingTimeoutMs: 500 };
  await using caller = connect([proxy.url], { timings });
  await caller.call();
  // Its stream closes after the answer is there, and a connection is fresh for a while after that.
  await until(() => caller.addresses().every(({ callsUnderWay }) => callsUnderWay === 0));
  proxy.freeze();
  const frozenAtMs = performance.now();
  await until(() => performance.now() > frozenAtMs + timings.pingAfterMs);
  await caller.call();
  assert.equal(server.calls, 2);
  // More than two where the machine is so busy that the new connection seems to have died as well.
  assert.ok(server.connections >= 2, `${server.connections} connections`);
});

test("an idle connection is closed, and opened again for the next call", async () => {
  await using server = await startServer();
  const closed = new Promise<void>((resolve) => {
    server.grpc.server.once("session", (session) => session.once("close", resolve));
  });
  const timings = { ...defaultSessionTimings, pingAfterMs: 20, idleMs: 40 };
  await using caller = connect([server.url], { timings });
  await caller.call();
  await closed;
  await caller.call();
  assert.equal(server.connections, 2);
});

test("a peer that accepts but does not speak HTTP/2 is given up, and the call never ran", async () => {
  const mute = net.createServer((socket) => socket.on("error", () => {}));
  mute.listen(0, "127.0.0.1");
  await once(mute, "listening");
  const url = `http://127.0.0.1:${(mute.address() as AddressInfo).port}`;
  const timings = { ...defaultSessionTimings, connectTimeoutMs: 50 };
  {
    await using caller = connect([url], { timings });
    const [error] = await callTimes(caller, 1);
    assert.deepEqual([error?.code, neverRan(error)], [Code.Unavailable, true]);
  }
  mute.close();
});

/** Listens, and takes no connection: when its queue is full, whoever asks for another hears nothing. */
const deaf = `
const { parentPort } = require("node:worker_threads");
const server = require("node:net").createServer();
server.listen({ port: 0, host: "127.0.0.1", backlog: 1 }, () => {
  parentPort.postMessage(server.address().port);
  setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
});`;

test("an address from which nothing comes back is given up, and the call never ran", async () => {
  const worker = new Worker(deaf, { eval: true });
  const [port] = await once(worker, "message");
  const queued = Array.from({ length: 8 }, () => net.connect(port, "127.0.0.1"));
  for (const socket of queued) socket.on("error", () => {});
  await until(() => queued.filter(({ connecting }) => !connecting).length >= 2);
  const timings = { ...defaultSessionTimings, connectTimeoutMs: 50 };
  {
    await using caller = connect([`http://127.0.0.1:${port}`], { timings });
    const [error] = await callTimes(caller, 1);
    assert.deepEqual([error?.code, neverRan(error)], [Code.Unavailable, true]);
  }
  for (const socket of queued) socket.destroy();
  await worker.terminate();
});

test("a peer that falls silent after its goodbye is given up", { timeout: 60_000 }, async () => {
  await using server = await startServer();
  using proxy = await startProxy(server.port);
  const timings = { ...defaultSessionTimings, goodbyeMs: 200 };
  await using caller = connect([proxy.url], { timings });
  server.handle = () => new Promise(() => {});
  const call = caller.call(3_600_000).catch(ConnectError.from);
  await until(() => server.calls === 1);
  void server.grpc.drain(3_600_000);
  await until(() => caller.addresses().every(({ connected }) => !connected));
  proxy.freeze();
  const error = await call;
  assert.ok(error instanceof ConnectError);
  assert.deepEqual([error.code, neverRan(error)], [Code.Unavailable, false]);
});

test("a peer that hangs after its goodbye holds up no close", { timeout: 60_000 }, async () => {
  await using server = await startServer();
  using proxy = await startProxy(server.port);
  const caller = connect([proxy.url]);
  server.handle = () => new Promise(() => {});
  const call = caller.call(1_000).catch(ConnectError.from);
  await until(() => server.calls === 1);
  void server.grpc.drain(3_600_000);
  await until(() => caller.addresses().every(({ connected }) => !connected));
  proxy.freeze();
  await caller[Symbol.asyncDispose]();
  const error = await call;
  assert.ok(error instanceof ConnectError && error.code === Code.DeadlineExceeded);
});

test("a client that hangs without calls holds up no drain", { timeout: 30_000 }, async () => {
  await using server = await startServer();
  using proxy = await startProxy(server.port);
  await using caller = connect([proxy.url]);
  await caller.call();
  await until(() => caller.addresses().every(({ callsUnderWay }) => callsUnderWay === 0));
  proxy.freeze();
  await server.grpc.drain(3_600_000);
});

test("a peer that hangs holds up no close, with and without calls", {
  timeout: 60_000,
}, async () => {
  await using server = await startServer();
  for (const isCalled of [false, true]) {
    using proxy = await startProxy(server.port);
    const caller = connect([proxy.url]);
    await caller.call();
    await until(() => caller.addresses().every(({ callsUnderWay }) => callsUnderWay === 0));
    proxy.freeze();
    const call = isCalled ? caller.call(500).catch(ConnectError.from) : undefined;
    await caller[Symbol.asyncDispose]();
    const error = await call;
    if (error instanceof ConnectError) assert.equal(error.code, Code.DeadlineExceeded);
  }
});
