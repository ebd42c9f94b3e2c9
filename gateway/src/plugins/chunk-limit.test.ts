import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";
import { headOf, rawRequest } from "../../test/raw-request.ts";
import { maxBodyPieces } from "../limits.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL);
after(() => gateway[Symbol.asyncDispose]());

const post = (path: string) =>
  headOf(
    `POST ${path} HTTP/1.1`,
    "host: x",
    "content-type: application/json",
    "transfer-encoding: chunked",
    "connection: close",
  );
const crumbs = (count: number) => "1\r\n \r\n".repeat(count);
const end = "0\r\n\r\n";

test("a body in as many pieces as are allowed is read", async () => {
  const answer = await rawRequest(gateway.port, post("/api/users/log"), crumbs(maxBodyPieces), end);
  assert.match(answer, /^HTTP\/1\.1 400 .*"rule":/s);
});

for (const path of ["/api/users/log", "/api/orders/add", "/nowhere"])
  test(`who sends ${path} a body in crumbs without end is cut off`, async () => {
    const sent = rawRequest(gateway.port, post(path), crumbs(20 * maxBodyPieces));
    const answer = await sent.catch((error: NodeJS.ErrnoException) => error.code ?? "");
    assert.match(answer, /^$|ECONNRESET|EPIPE|^HTTP\/1\.1 40[14] /);
    assert.equal((await gateway.fetch("/.well-known/jwks.json")).status, 200);
  });
