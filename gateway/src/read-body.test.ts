import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectError } from "@connectrpc/connect";
import { headOf, rawRequest } from "../test/raw-request.ts";
import { BodyPlaces } from "./body-places.ts";
import { maxSmallBodyBytes } from "./limits.ts";
import { readBody } from "./read-body.ts";

const maxBytes = 4 * maxSmallBodyBytes;
const large = 3 * maxSmallBodyBytes;
/** Requests by their paths, and how they went, in the order of their ends. */
let requests: Map<string | undefined, IncomingMessage>;
let ends: string[];
let server: ReturnType<typeof createServer>;
let port: number;

beforeEach(async () => {
  requests = new Map();
  ends = [];
  const bounds = { maxBytes, places: new BodyPlaces(1) };
  server = createServer(async (request, response) => {
    requests.set(request.url, request);
    const read = readBody(request, bounds).then(String, (error: ConnectError) => error.rawMessage);
    const result = await read;
    ends.push(`${request.url} ${result.length > 100 ? result.length : result}`);
    response.setHeader("connection", "close").end(result.slice(-1));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  ({ port } = server.address() as AddressInfo);
});
afterEach(() => void server.close().closeAllConnections());

const head = (path: string, bytes: number) =>
  headOf(`POST ${path} HTTP/1.1`, "host: x", `content-length: ${bytes}`);
const body = (bytes: number) => "x".padEnd(bytes - 1).concat("y");
const until = async (isDone: () => boolean | undefined) => {
  while (!isDone()) await sleep(2);
};
/** Sends so much of a large body that it needs a place. */
async function half(path: string) {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write(head(path, large) + body(large - 1));
  await until(() => Number(requests.get(path)?.socket.bytesRead) > maxSmallBodyBytes + 1_000);
  return socket;
}

test("a body comes whole, whatever its size", async () => {
  for (const bytes of [2, maxSmallBodyBytes, maxSmallBodyBytes + 1, maxBytes]) {
    const text = await rawRequest(port, head(`/${bytes}`, bytes), body(bytes));
    assert.ok(text.endsWith("\r\n\r\ny"));
  }
  assert.equal(ends.at(-1), `/${maxBytes} ${maxBytes}`);
});

test("a large body waits until another one has come, a small one does not", async () => {
  const first = await half("/first");
  const second = rawRequest(port, head("/second", large), body(large));
  await until(() => requests.get("/second")?.isPaused() || ends.length > 0);
  await rawRequest(port, head("/small", 2), "{}");
  first.end("z");
  await second;
  assert.deepEqual(ends, ["/small {}", `/first ${large}`, `/second ${large}`]);
});

test("a client that leaves gives its place to the next, and one that waited needs none", async () => {
  const first = await half("/first");
  const second = await half("/second");
  await until(() => requests.get("/second")?.isPaused());
  second.destroy();
  const third = rawRequest(port, head("/third", large), body(large));
  await until(() => requests.has("/third"));
  first.destroy();
  await third;
  assert.deepEqual(ends.toSorted(), [
    "/first the client left",
    "/second the client left",
    `/third ${large}`,
  ]);
});

test("a connection that is ended gives its place back, whatever its client still sends", async () => {
  const first = await half("/first");
  requests.get("/first")?.socket.end();
  await rawRequest(port, head("/second", large), body(large));
  assert.deepEqual(ends, ["/first the client left", `/second ${large}`]);
  first.destroy();
});

test("a length beyond the limit is refused before anything has come", async () => {
  const socket = connect(port, "127.0.0.1").on("error", () => {});
  socket.write(head("/", maxBytes + 1));
  await once(socket, "data");
  assert.deepEqual(ends, [`/ the body is larger than ${maxBytes} bytes`]);
  socket.destroy();
});
