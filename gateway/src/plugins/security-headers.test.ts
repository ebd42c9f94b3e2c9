import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL);
after(() => gateway[Symbol.asyncDispose]());

test("every answer has the headers of an API", async () => {
  const response = await gateway.fetch("/api/nothing");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("x-frame-options"), "DENY");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("server"), null);
  assert.equal(response.headers.get("x-powered-by"), null);
});
