import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { register } from "../client.ts";
import { startOrderStandIn } from "../order-stand-in.ts";
import { shared, startSecondGateway } from "../second-gateway.ts";
import { ask } from "./ask.ts";
import { startLoad, statuses } from "./load.ts";

const someId = "01890000-0000-7000-8000-000000000000";
let platform: Platform;
let token: string | undefined;
before(async () => {
  platform = await startPlatform(shared);
  token = (await register(platform.gatewayUrl)).token;
});
after(() => platform.stop());

test("SIGTERM at 200 requests a second: every answer is whole, and the process is gone soon", async (t) => {
  await using gateway = await startSecondGateway(platform);
  const load = startLoad({
    url: `${gateway.url}/api/users/me`,
    token,
    perSecond: 200,
    connections: 50,
  });
  await sleep(2_000);
  const toldAt = performance.now();
  process.kill(gateway.pid, "SIGTERM");
  const code = await gateway.exited;
  const tookMs = performance.now() - toldAt;
  await load.stop();
  const seen = statuses(load.samples);
  t.diagnostic(`exit ${code} after ${tookMs.toFixed(0)} ms, ${JSON.stringify(seen)}`);
  assert.equal(code, 0);
  assert.ok(tookMs <= 5_000, `${tookMs} ms`);
  // ECONNRESET: the kernel held the connection when the port closed, nobody had read from it.
  assert.deepEqual(
    Object.keys(seen).filter((each) => !["200", "ECONNREFUSED", "ECONNRESET"].includes(each)),
    [],
  );
  assert.ok((seen.ECONNRESET ?? 0) <= 2, JSON.stringify(seen));
});

test("a call that takes a minute does not keep a process for more than 30 s", async (t) => {
  let isAsked = false;
  const service = await startOrderStandIn({
    async getOrder(_request, { signal }) {
      isAsked = true;
      await sleep(60_000, undefined, { signal }).catch(() => {});
      return {};
    },
  });
  const env = { ORDER_SERVICE_URL: service.url, UPSTREAM_TIMEOUT_MS: "60000" };
  await using gateway = await startSecondGateway(platform, env);
  const call = ask({ url: `${gateway.url}/api/orders/info?id=${someId}`, token });
  await waitFor("the call to be under way", () => isAsked);
  const toldAt = performance.now();
  process.kill(gateway.pid, "SIGTERM");
  const code = await gateway.exited;
  const tookMs = performance.now() - toldAt;
  const { status, error } = await call;
  await service.stop();
  t.diagnostic(`exit ${code} after ${tookMs.toFixed(0)} ms; the call: ${status} ${error ?? ""}`);
  assert.ok(tookMs <= 30_500, `${tookMs} ms`);
});
