import assert from "node:assert/strict";
import { after, beforeEach, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { startGateway } from "../../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: {
    getUser: (_, { requestHeader }) => {
      if (requestHeader.get("x-request-id") === "fails") throw new ConnectError("x", Code.NotFound);
      return {};
    },
    introspect: () => ({}),
  },
});
after(() => gateway[Symbol.asyncDispose]());
beforeEach(() => void gateway.lines.splice(0));
const token = await gateway.tokens.issue();
const authorization = `Bearer ${token}`;

async function lineAfter(request: Promise<Response>) {
  await (await request).text();
  const find = () => gateway.lines.find(({ msg }) => msg === "request");
  while (find() === undefined) await new Promise(setImmediate);
  const { time, durationMs, level, msg, ...line } = find() ?? {};
  assert.equal(typeof durationMs, "number");
  return line;
}

test("a request leaves one line, with its route, its outcome and who asked", async () => {
  const traceId = "a".repeat(32);
  const traceparent = `00-${traceId}-${"b".repeat(16)}-01`;
  const headers = { authorization, "x-request-id": "abc.1", traceparent };
  const line = await lineAfter(gateway.fetch("/api/users/me", { headers }));
  assert.deepEqual(line, {
    requestId: "abc.1",
    traceId,
    userId: "ann",
    ip: "127.0.0.1",
    method: "GET",
    route: "/api/users/me",
    status: 200,
    code: "ok",
  });
  assert.equal(gateway.lines.length, 1);
});

test("an error's code is in the line", async () => {
  const headers = { authorization, "x-request-id": "fails" };
  const { status, code } = await lineAfter(gateway.fetch("/api/users/me", { headers }));
  assert.deepEqual([status, code], [404, "not_found"]);
});

test("what clients make up is not in it", async () => {
  const path = "/made/up?password=hunter2&token=abc";
  const headers = { authorization, cookie: "__Host-session_key=secret-key", "x-secret": "hunter2" };
  const line = await lineAfter(gateway.fetch(path, { headers }));
  assert.equal(line.route, "unmatched");
  const unreadable = await lineAfter(gateway.fetch("/%ff?password=hunter2"));
  assert.equal(unreadable.status, 404, "the first line is still there");
  const body = { token: "hunter2", password: "hunter2" };
  await gateway.send("POST", "/api/users/ext", body, headers);
  const text = JSON.stringify(gateway.lines);
  for (const secret of ["hunter2", "made", "secret-key", token]) assert.ok(!text.includes(secret));
});
