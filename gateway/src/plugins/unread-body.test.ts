import assert from "node:assert/strict";
import { once } from "node:events";
import type { Server } from "node:http";
import { connect } from "node:net";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startGateway } from "../../test/gateway.ts";
import { headOf, rawRequest } from "../../test/raw-request.ts";
import { maxSmallBodyBytes } from "../limits.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: { introspect: ({ token }) => ({ active: token !== "" }) },
});
after(() => gateway[Symbol.asyncDispose]());

const mebibyte = 1024 * 1024;
const host = "host: localhost";
const json = "content-type: application/json";
const chunked = "transfer-encoding: chunked";
const length = (bytes: number) => `content-length: ${bytes}`;
const post = (path: string, ...lines: string[]) =>
  headOf(`POST ${path} HTTP/1.1`, host, json, ...lines);
const piece = Buffer.alloc(64 * 1024, " ");
const chunk = Buffer.concat([Buffer.from("10000\r\n"), piece, Buffer.from("\r\n")]);

/** Waits until the gateway has no connection any more. */
async function nobodyConnected(server: Server): Promise<void> {
  const count = promisify(server.getConnections.bind(server));
  while ((await count()) > 0) await sleep(5);
}

async function* pieces(bytes: number): AsyncGenerator<Uint8Array> {
  for (let sent = 0; sent < bytes; sent += piece.length) yield piece;
}

test("fetch finds the 413, whatever it sends and however", async () => {
  for (const size of [2 * mebibyte, 10 * mebibyte])
    for (const body of [Buffer.alloc(size, " "), ReadableStream.from(pieces(size))]) {
      const headers = { "content-type": "application/json" };
      const init = { method: "POST", body, headers, duplex: "half" as const };
      const response = await gateway.fetch("/api/users/ext", init);
      const { reason } = (await response.json()) as Record<string, unknown>;
      assert.deepEqual([response.status, reason], [413, "payload_too_large"]);
      assert.equal(response.headers.get("connection"), "close");
    }
});

test("a client that writes 10 MiB before it reads finds the answer, whatever it is", async () => {
  const body = Array<Buffer>(160).fill(chunk);
  const tries: [number, string, string?][] = [
    [413, "/api/users/ext"],
    [415, "/api/users/ext", "text/plain"],
    [404, "/api/nothing", "text/plain"],
    [401, "/api/orders/add"],
    [400, "/%zz"],
  ];
  for (const [status, path, type = "application/json"] of tries) {
    const head = headOf(`POST ${path} HTTP/1.1`, host, `content-type: ${type}`, chunked);
    const text = await rawRequest(gateway.port, head, ...body, "0\r\n\r\n");
    assert.equal(Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1]), status, path);
  }
});

test("a body that never ends is answered, and its connection ends", async () => {
  for (const path of ["/api/users/ext", "/api/orders/add"]) {
    const socket = connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
    let answer = "";
    socket.on("data", (text) => (answer += text)).on("error", () => {});
    socket.write(post(path, chunked));
    const write = () => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", write);
    write();
    await new Promise((resolve) => socket.once("close", resolve));
    assert.match(answer, /^HTTP\/1\.1 4(01|13) /, path);
  }
  await nobodyConnected(gateway.app.server);
});

test("a client that hears the answer and stays silent loses its connection", async () => {
  const socket = connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write(post("/api/users/ext", length(2 * mebibyte)));
  const [answer] = await once(socket, "data");
  assert.match(String(answer), /^HTTP\/1\.1 413 /);
  await nobodyConnected(gateway.app.server);
  socket.destroy();
});

test("a request behind a body that nobody read never runs", async () => {
  const before = gateway.calls.length;
  const body = Array<Buffer>(20).fill(chunk);
  const next = `${post("/api/users/ext", length(2))}{}`;
  const first = post("/api/users/ext", chunked);
  const text = await rawRequest(gateway.port, first, ...body, "0\r\n\r\n", next);
  assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1);
  await nobodyConnected(gateway.app.server);
  assert.equal(gateway.calls.length, before);
});

test("a little that is missing costs nobody the connection", async () => {
  const socket = connect(gateway.port, "127.0.0.1");
  const bytes = maxSmallBodyBytes;
  socket.write(
    `${headOf("POST /api/nothing HTTP/1.1", host, "content-type: x/y", length(bytes))} `,
  );
  const [refusal] = await once(socket, "data");
  assert.match(String(refusal), /^HTTP\/1\.1 404 [\s\S]*connection: keep-alive/i);
  socket.write(" ".repeat(bytes - 1));
  socket.write(headOf("GET /api/nothing HTTP/1.1", host));
  const [answer] = await once(socket, "data");
  assert.match(String(answer), /^HTTP\/1\.1 404 /);
  socket.destroy();
});

test("who asks before sending a body is told at once that it is too large", async () => {
  const expect = "expect: 100-continue";
  const large = await rawRequest(
    gateway.port,
    post("/api/users/ext", length(2 * mebibyte), expect),
  );
  assert.match(large, /^HTTP\/1\.1 413 [\s\S]*connection: close/i);
  const close = "connection: close";
  const small = post("/api/users/ext", length(2), expect, close);
  assert.match(
    await rawRequest(gateway.port, small, "{}"),
    /^HTTP\/1\.1 100 [\s\S]*HTTP\/1\.1 200 /,
  );
});
