import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";
import { headOf, rawRequest } from "../../test/raw-request.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL);
after(() => gateway[Symbol.asyncDispose]());

/** Fetch would make a path of anything. */
async function ask(method: string, target: string) {
  const head = headOf(`${method} ${target} HTTP/1.1`, "host: gateway", "connection: close");
  const [answer = "", body = ""] = (await rawRequest(gateway.port, head)).split("\r\n\r\n");
  const status = Number(answer.split(" ")[1]);
  return { status, answer, problem: () => JSON.parse(body) as Record<string, unknown> };
}

test("a path that is too long is 414, and is not repeated whole", async () => {
  for (const path of [
    `/${"x".repeat(5_000)}`,
    `/assets/${"x".repeat(5_000)}`,
    `/assets/${"x".repeat(101)}`,
    `/api/orders/info/${"x/".repeat(2_500)}?id=1`,
    `/user.v1.UserService/${"x".repeat(5_000)}`,
  ]) {
    const { status, answer, problem } = await ask("GET", path);
    assert.equal(status, 414, path.slice(0, 30));
    assert.match(answer, /content-type: application\/problem\+json/i);
    const { title, code, reason, instance, requestId } = problem();
    assert.deepEqual([title, code, reason], ["URI Too Long", "resource_exhausted", "uri_too_long"]);
    assert.equal(instance, path.slice(0, 256).split("?")[0]);
    assert.match(answer, new RegExp(`x-request-id: ${requestId}`, "i"));
  }
});

test("no problem repeats more than 256 characters of a path, nor half an encoded byte", async () => {
  const [missing, unreadable] = await Promise.all([
    ask("GET", `/${"x".repeat(254)}%20%20`),
    ask("GET", `/${"x".repeat(5_000)}%zz`),
  ]);
  assert.deepEqual([missing.status, missing.problem().instance], [404, `/${"x".repeat(254)}`]);
  assert.deepEqual(
    [unreadable.status, unreadable.problem().instance],
    [400, `/${"x".repeat(255)}`],
  );
});

test("a long query is nobody's path", async () => {
  assert.equal((await ask("GET", `/?${"x".repeat(5_000)}`)).status, 200);
});

test("a target that is no path is refused, and one with a host in it is taken", async () => {
  for (const method of ["GET", "HEAD", "POST", "OPTIONS"])
    assert.equal((await ask(method, "*")).status, 400, method);
  assert.equal((await ask("GET", "http://gateway/")).status, 200);
});
