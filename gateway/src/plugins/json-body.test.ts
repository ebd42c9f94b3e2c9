import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";
import { headOf, rawRequest } from "../../test/raw-request.ts";
import { maxBodyBytes } from "../limits.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: { introspect: ({ token }) => ({ active: token !== "" }) },
});
after(() => gateway[Symbol.asyncDispose]());

async function post(body: string | Buffer, type = "application/json", headers = {}) {
  const init = { method: "POST", body, headers: { "content-type": type, ...headers } };
  const response = await gateway.fetch("/api/users/ext", init);
  const answer = (await response.json()) as Record<string, unknown>;
  if (!response.ok) assert.equal(answer.status, response.status);
  return { status: response.status, answer };
}

test("JSON in UTF-8 is read, whatever its type is written like", async () => {
  const types = [
    "application/json",
    "Application/JSON; charset=UTF-8",
    'application/json;charset="utf-8"',
    "application/json; charset=utf8",
  ];
  for (const type of types) assert.equal((await post('{"token":"ü"}', type)).status, 200, type);
  assert.equal((await post("", "application/json")).status, 200, "an empty body is none");
});

test("any other type, charset or compression is 415", async () => {
  const types = [
    "text/plain",
    "application/xml",
    "application/json; charset=latin1",
    "json",
    "multipart/form-data; boundary=x",
  ];
  for (const type of types) {
    const { status, answer } = await post("{}", type);
    assert.deepEqual([status, answer.reason], [415, "unsupported_media_type"], type);
  }
  for (const encoding of ["gzip", "br", "nonsense"])
    assert.equal(
      (await post("{}", "application/json", { "content-encoding": encoding })).status,
      415,
    );
});

test("what is not UTF-8 is 400", async () => {
  const { status, answer } = await post(Buffer.from('{"token":"\xff"}', "latin1"));
  assert.deepEqual([status, answer.detail], [400, "the body is not UTF-8"]);
});

test("malformed JSON is 400 with the position, and repeats nothing of it", async () => {
  const { status, answer } = await post('{"token": secret}');
  assert.equal(status, 400);
  assert.deepEqual(answer.violations, [
    { field: "token", rule: "json.syntax", message: "expected a value (at position 10)" },
  ]);
  assert.doesNotMatch(JSON.stringify(answer), /secret/);
});

test("a body that is no object is 400 with a violation", async () => {
  for (const body of ["null", "[]", '"x"', "1", "true"]) {
    const { status, answer } = await post(body);
    assert.equal(status, 400);
    assert.deepEqual(answer.violations, [
      { field: "", rule: "type.object", message: "must be an object" },
    ]);
  }
});

test("a body up to the limit is read, one byte more is 413", async () => {
  const body = (bytes: number) => `{"token":"x"}${" ".repeat(bytes - 13)}`;
  assert.equal((await post(body(maxBodyBytes))).status, 200);
  const { status, answer } = await post(body(maxBodyBytes + 1));
  assert.deepEqual([status, answer.reason], [413, "payload_too_large"]);
});

test("a client that writes before it reads still finds the 413", async () => {
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  const head = headOf(
    "POST /api/users/ext HTTP/1.1",
    "host: localhost",
    "content-type: application/json",
    "transfer-encoding: chunked",
  );
  const text = await rawRequest(gateway.port, head, ...Array(80).fill(chunk), "0\r\n\r\n");
  assert.match(text, /^HTTP\/1\.1 413 Payload Too Large\r\n/);
});
