import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

let asked = 0;
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  user: {
    getUser: () => ({}),
    introspect: async (_request, { signal }) => {
      asked++;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      return {};
    },
  },
});
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

test("a request whose client leaves is measured once, with the status 499", async () => {
  const leaving = new AbortController();
  const init = { method: "POST", signal: leaving.signal };
  const left = gateway.fetch("/api/users/ext", init).catch((error: Error) => error.name);
  while (asked === 0) await new Promise(setImmediate);
  leaving.abort();
  assert.equal(await left, "AbortError");
  while (!gateway.lines.some(({ status }) => status === 499)) await new Promise(setImmediate);
  const measured = (await gateway.registry.metrics())
    .split("\n")
    .filter((line) => line.startsWith('http_request_duration_seconds_count{method="POST"'));
  assert.deepEqual(measured, [
    'http_request_duration_seconds_count{method="POST",route="/api/users/ext",status_code="499"} 1',
  ]);
});
