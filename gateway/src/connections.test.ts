import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get, type RequestListener, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { Connections } from "./connections.ts";

const slowMs = 200;

async function serve(handle: RequestListener) {
  const server = createServer({ keepAliveTimeout: 50 }, handle);
  new Connections(server, slowMs);
  await once(server.listen(0, "127.0.0.1"), "listening");
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.dispose]: () => void server.close().closeAllConnections(),
  };
}

test("who takes nothing of an answer is cut, with all requests behind one another", {
  timeout: 60_000,
}, async () => {
  const answers: ServerResponse[] = [];
  const { promise: allGone, resolve } = Promise.withResolvers<void>();
  let gone = 0;
  using server = await serve((_request, response) => {
    answers.push(response.once("close", () => ++gone === answers.length && resolve()));
    response.end(Buffer.alloc(32 * 1024 * 1024));
  });
  const socket = connect(server.port, "127.0.0.1").on("error", () => {});
  socket.pause().write("GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(3));
  await allGone;
  assert.ok(answers.length > 0);
  assert.ok(answers.every(({ writableFinished }) => !writableFinished));
  socket.destroy();
});

test("an answer in the making is waited for, and who is idle after it is sent away", async () => {
  using server = await serve((_request, response) => {
    setTimeout(() => response.end("late"), 3 * slowMs);
  });
  const agent = new Agent({ keepAlive: true });
  const request = get({ port: server.port, host: "127.0.0.1", agent });
  const [[response], [socket]] = await Promise.all([
    once(request, "response"),
    once(request, "socket"),
  ]);
  const closed = once(socket, "close");
  assert.equal(await text(response), "late");
  await closed;
  agent.destroy();
});
