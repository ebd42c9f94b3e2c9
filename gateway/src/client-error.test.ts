import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../test/gateway.ts";
import { headOf, rawRequest } from "../test/raw-request.ts";
import { maxHeaderBytes } from "./limits.ts";

const gate = Promise.withResolvers<void>();
let started = Promise.withResolvers<void>();
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: {
    introspect: async () => {
      started.resolve();
      await gate.promise;
      return { active: false };
    },
  },
});
after(() => gateway[Symbol.asyncDispose]());

/** The only answer in what came back, as HTTP has it. */
function read(text: string) {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [start = "", ...lines] = head.split("\r\n");
  const headers = new Headers(lines.map((line) => line.split(": ", 2) as [string, string]));
  const body = rest.join("\r\n\r\n");
  assert.equal(Number(headers.get("content-length")), Buffer.byteLength(body));
  assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/);
  const problem = JSON.parse(body) as Record<string, unknown>;
  const status = Number(/^HTTP\/1\.1 (\d{3}) \S/.exec(start)?.[1]);
  assert.equal(problem.status, status);
  assert.equal(problem.requestId, headers.get("x-request-id"));
  assert.equal(headers.get("connection"), "close");
  return { status, headers, problem };
}
const ask = async (...parts: string[]) => read(await rawRequest(gateway.port, ...parts));

test("what is no HTTP is 400, as a whole HTTP answer", async () => {
  const garbage = ["hello\r\n\r\n", "GET / HTTP/9.9\r\n\r\n", headOf("GET / HTTP/1.1", "no colon")];
  for (const text of garbage) assert.equal((await ask(text)).problem.code, "invalid_argument");
});

test("headers beyond the limit are 431", async () => {
  const padding = `x-padding: ${"x".repeat(maxHeaderBytes)}`;
  const { problem } = await ask(headOf("GET / HTTP/1.1", "host: localhost", padding));
  assert.equal(problem.status, 431);
  assert.equal(problem.title, "Request Header Fields Too Large");
});

test("requests that could be read in two ways are 400", async () => {
  const smuggled = headOf(
    "POST /api/users/ext HTTP/1.1",
    "host: localhost",
    "content-length: 4",
    "transfer-encoding: chunked",
  );
  assert.equal((await ask(`${smuggled}0\r\n\r\n`)).status, 400);
  const twoLengths = headOf(
    "POST /api/users/ext HTTP/1.1",
    "host: localhost",
    "content-length: 2",
    "content-length: 3",
  );
  assert.equal((await ask(`${twoLengths}{} `)).status, 400);
});

test("a request without a host is 400", async () => {
  const { problem } = await ask(headOf("GET / HTTP/1.1", "connection: close"));
  assert.equal(problem.detail, "the host header is missing");
});

test("a request with two hosts is 400", async () => {
  const hosts = ["host: localhost", "host: localhost"];
  const request = headOf("GET / HTTP/1.1", ...hosts, "connection: close");
  const { status, problem } = await ask(request);
  assert.deepEqual([status, problem.detail], [400, "the host header is there twice"]);
});

test("an expectation that nobody can meet is 417", async () => {
  const { status } = await ask(headOf("GET / HTTP/1.1", "host: localhost", "expect: wonders"));
  assert.equal(status, 417);
});

test("garbage behind a request does not cut its answer", async () => {
  started = Promise.withResolvers();
  const length = "content-length: 0";
  const request = headOf("POST /api/users/ext HTTP/1.1", "host: localhost", length);
  const answer = rawRequest(gateway.port, `${request}garbage\r\n\r\n`);
  await started.promise;
  gate.resolve();
  const text = await answer;
  assert.match(text, /^HTTP\/1\.1 200 OK\r\n/);
  assert.ok(text.endsWith('{"active":false}'));
  assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1);
});
