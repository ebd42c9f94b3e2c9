import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, { user: { getUser: () => ({}) } });
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;

test("requests are measured by route template, and unknown ones as one", async () => {
  await gateway.fetch("/api/users/me", { headers: { authorization } });
  await gateway.fetch("/some/path");
  await gateway.fetch("/other/path");
  const metrics = await gateway.registry.metrics();
  assert.match(
    metrics,
    /http_request_duration_seconds_count\{method="GET",route="unmatched",status_code="404"\} \d/,
  );
  assert.match(
    metrics,
    /http_request_duration_seconds_count\{method="GET",route="\/api\/users\/me"/,
  );
  assert.doesNotMatch(metrics, /some\/path|other\/path/);
});
