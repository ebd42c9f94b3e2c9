import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { startGateway } from "../test/gateway.ts";
import { headOf } from "../test/raw-request.ts";

const leavers = 150;
const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  // Each request waits for Redis on its way: that is when they leave.
  env: {
    RATE_LIMIT_IP_PER_MINUTE: "1000000",
    RATE_LIMIT_USER_PER_MINUTE: "1000000",
    MAX_CONCURRENT_REQUESTS: "100",
  },
  order: {
    async *watchOrders(_request, { signal }) {
      yield { eventId: "1-0", event: { case: "heartbeat", value: true } };
      if (!signal.aborted) await once(signal, "abort");
    },
  },
});
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;

/** Asks, and is gone before there can be an answer. */
async function leave(path: string): Promise<void> {
  const socket = connect(gateway.port, "127.0.0.1").on("error", () => {});
  const head = headOf(`GET ${path} HTTP/1.1`, "host: x", `authorization: ${authorization}`);
  await new Promise((sent) => socket.write(head, sent));
  socket.resetAndDestroy();
}

for (const path of ["/.well-known/jwks.json", "/api/orders/watch"])
  test(`who leaves on the way to ${path} leaves no place taken`, async () => {
    const logged = gateway.lines.length;
    for (let count = 0; count < leavers; count++) await leave(path);
    await waitFor("a line for each that was read", () => gateway.lines.length > logged);
    await waitFor("all places", async () => {
      const metrics = await gateway.registry.metrics();
      const underWay = metrics.match(/^http_requests_under_way\{.*$/gm) ?? [];
      return underWay.length === 2 && underWay.every((line) => line.endsWith(" 0"));
    });
    assert.equal((await gateway.fetch("/.well-known/jwks.json")).status, 200);
  });

test("nor do they keep their user from watching", async () => {
  const watching = new AbortController();
  const init = { headers: { authorization }, signal: watching.signal };
  assert.equal((await gateway.fetch("/api/orders/watch", init)).status, 200);
  watching.abort();
});
