import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../../test/gateway.ts";

const gates: PromiseWithResolvers<void>[] = [];
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  env: { MAX_CONCURRENT_REQUESTS: "2" },
  user: {
    introspect: async () => {
      const gate = Promise.withResolvers<void>();
      gates.push(gate);
      await gate.promise;
      return {};
    },
  },
});
after(() => gateway[Symbol.asyncDispose]());
const until = async (isDone: () => boolean) => {
  while (!isDone()) await new Promise(setImmediate);
};

test("one request too many at once is turned away with 503, and room comes back", async () => {
  const ask = () => gateway.fetch("/api/users/ext", { method: "POST" });
  const leaving = new AbortController();
  const left = gateway
    .fetch("/api/users/ext", { method: "POST", signal: leaving.signal })
    .catch((error: Error) => error.name);
  const stays = ask();
  await until(() => gates.length === 2);
  const refused = await ask();
  assert.equal(refused.status, 503);
  assert.match(refused.headers.get("retry-after") ?? "", /^[1-3]$/);
  assert.equal(((await refused.json()) as { reason: string }).reason, "overloaded");
  leaving.abort();
  assert.equal(await left, "AbortError");
  await until(() => gateway.lines.some(({ status }) => status === 499));
  const next = ask();
  await until(() => gates.length === 3);
  for (const gate of gates) gate.resolve();
  assert.deepEqual([(await stays).status, (await next).status], [200, 200]);
});
