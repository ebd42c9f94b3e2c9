import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, { user: { getUser: () => ({}) } });
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;

test("a request id that is not well formed is replaced, one that is goes all the way", async () => {
  for (const id of ["", "a b", "x".repeat(129), "ü", 'a"b', "a/b"]) {
    const response = await gateway.fetch("/", { headers: { "x-request-id": id } });
    assert.match(response.headers.get("x-request-id") ?? "", /^[\da-f-]{36}$/);
  }
  const traceparent = `00-${"a".repeat(32)}-${"b".repeat(16)}-01`;
  const headers = { authorization, "x-request-id": "mine_1", traceparent };
  const response = await gateway.fetch("/api/users/me", { headers });
  assert.equal(response.headers.get("x-request-id"), "mine_1");
  assert.equal(response.headers.get("traceparent"), traceparent);
  const { header } = gateway.calls.at(-1) ?? assert.fail("no call");
  assert.equal(header.get("x-request-id"), "mine_1");
  assert.equal(header.get("traceparent"), traceparent);
});

test("a trace context that is not well formed is replaced by one that is not sampled", async () => {
  const zero = `00-${"0".repeat(32)}-${"b".repeat(16)}-01`;
  for (const traceparent of [zero, "nonsense", `01-${"a".repeat(32)}-${"b".repeat(16)}-01`]) {
    const response = await gateway.fetch("/", { headers: { traceparent } });
    assert.match(response.headers.get("traceparent") ?? "", /^00-[\da-f]{32}-[\da-f]{16}-00$/);
  }
});

test("what the client's tracing adds to its context goes all the way, with the context alone", async () => {
  const passedOn = async (...headers: [string, string][]) => {
    await gateway.fetch("/api/users/me", {
      headers: [["authorization", authorization], ...headers],
    });
    return gateway.calls.at(-1)?.header.get("tracestate");
  };
  const context: [string, string] = ["traceparent", `00-${"a".repeat(32)}-${"b".repeat(16)}-01`];
  const rojo: [string, string] = ["tracestate", "rojo=1"];
  const congo: [string, string] = ["tracestate", "congo=2"];
  assert.equal(await passedOn(context, rojo, congo), "rojo=1,congo=2");
  assert.equal(await passedOn(rojo), null);
  assert.equal(await passedOn(["traceparent", "nonsense"], rojo), null);
  assert.equal(await passedOn(context, ["tracestate", `rojo=${"x".repeat(600)}`]), null);
});
