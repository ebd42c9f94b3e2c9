import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startGateway, type TestGateway } from "../test/gateway.ts";
import { Connections } from "./connections.ts";
import { drain } from "./drain.ts";

const timings = {
  lameDuckMs: 50,
  holdMs: 10,
  lastRequestsMs: 20,
  drainMs: 10_000,
};
/** Long enough to ask something in it on a busy machine. */
const longLameDuck = { ...timings, lameDuckMs: 1_000 };
let gateway: TestGateway;
let connections: Connections;
let gate: PromiseWithResolvers<void>;
let underWay: number;
let agent: Agent;

beforeEach(async () => {
  gate = Promise.withResolvers();
  underWay = 0;
  agent = new Agent({ keepAlive: true });
  gateway = await startGateway(process.env.TEST_REDIS_URL, {
    user: {
      introspect: async () => {
        underWay++;
        await gate.promise;
        return { active: true };
      },
    },
  });
  connections = new Connections(gateway.app.server);
});
afterEach(async () => {
  agent.destroy();
  await gateway[Symbol.asyncDispose]();
});

/** An answer with its body, over a connection that stays open if it may. */
async function ask(path: string, method = "GET") {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get({ port: gateway.port, path, method, agent }, resolve).on("error", reject);
  const response = await promise;
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode, connection: response.headers.connection, body };
}
const slow = () => ask("/api/users/ext", "POST");
const until = async (isDone: () => boolean) => {
  while (!isDone()) await new Promise(setImmediate);
};
const refused = (error: NodeJS.ErrnoException) => error.code;

test("requests under way are answered, whole, and their connections end with them", async () => {
  assert.equal((await ask("/")).connection, "keep-alive");
  const pending = [slow(), slow(), slow()];
  await until(() => underWay === 3);
  gateway.ending.abort();
  let hasEnded = false;
  const ended = drain(gateway.app, connections, longLameDuck).then(() => {
    hasEnded = true;
  });
  assert.equal((await ask("/")).connection, "close", "still serving for a moment");
  await until(() => !gateway.app.server.listening);
  assert.equal(await ask("/").catch(refused), "ECONNREFUSED");
  await sleep(2 * timings.lastRequestsMs);
  assert.equal(hasEnded, false);
  gate.resolve();
  for (const answer of await Promise.all(pending))
    assert.deepEqual(answer, { status: 200, connection: "close", body: '{"active":true}' });
  await ended;
});

test("a connection that was accepted last may still bring its request", async () => {
  gateway.ending.abort();
  const ended = drain(gateway.app, connections, { ...longLameDuck, lastRequestsMs: 3_000 });
  const socket = connect(gateway.port, "127.0.0.1");
  await once(gateway.app.server, "connection");
  await until(() => !gateway.app.server.listening);
  socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const [chunk] = await once(socket, "data");
  assert.match(String(chunk), /^HTTP\/1\.1 200 OK\r\n/);
  await ended;
});

test("idle connections hold nothing up", async () => {
  await Promise.all([ask("/"), ask("/"), ask("/")]);
  gateway.ending.abort();
  await drain(gateway.app, connections, timings);
});

test("an answer that was on its way before the end was known holds nothing up either", async () => {
  const pending = slow();
  await until(() => underWay === 1);
  const ended = drain(gateway.app, connections, timings);
  await until(() => !gateway.app.server.listening);
  gate.resolve();
  assert.equal((await pending).status, 200);
  await ended;
});

test("what takes longer than the drain may take is cut", async () => {
  const pending = slow().catch(refused);
  await until(() => underWay === 1);
  await drain(gateway.app, connections, { ...timings, drainMs: 20 });
  assert.equal(await pending, "ECONNRESET");
});

test("what has sent no request, or half of one, holds nothing up", {
  timeout: 60_000,
}, async () => {
  const head = "GET / HTTP/1.1\r\nhost: localhost\r\n";
  const [silent, half, again] = ["", head, `${head}\r\n${head}`].map((text) => {
    const socket = connect(gateway.port, "127.0.0.1").resume();
    socket.write(text);
    return { socket, closed: once(socket, "close") };
  });
  if (!silent || !half || !again) throw new Error("no sockets");
  await once(again.socket, "data");
  // They would time out by themselves, but not yet.
  gateway.app.server.headersTimeout = gateway.app.server.requestTimeout = 120_000;
  gateway.ending.abort();
  await drain(gateway.app, connections, { ...timings, drainMs: 120_000 });
  await Promise.all([silent, half, again].map(({ closed }) => closed));
});

test("an answer that waits for its reader is whole", async () => {
  const socket = connect(gateway.port, "127.0.0.1").pause();
  const path = "/api/docs/swagger-ui.js";
  const bytes = (await (await gateway.fetch(path)).arrayBuffer()).byteLength;
  const count = 8;
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`.repeat(count));
  await until(() => gateway.lines.length > 1);
  const ended = drain(gateway.app, connections, timings);
  await until(() => !gateway.app.server.listening);
  await sleep(2 * timings.lastRequestsMs);
  let received = 0;
  for await (const chunk of socket) received += chunk.length;
  assert.ok(received > count * bytes, `${received} of ${count} times ${bytes}`);
  await ended;
});
