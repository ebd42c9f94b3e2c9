import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@3l1/kit/wait-for.ts";
import postgres from "postgres";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { items, register } from "../client.ts";
import { startLoad, statuses } from "./load.ts";

let platform: Platform;
let token: string | undefined;
before(async () => {
  platform = await startPlatform();
  token = (await register(platform.gatewayUrl)).token;
});
after(() => platform.stop());

for (const signal of ["SIGINT", "SIGKILL"] as const)
  test(`PostgreSQL ended by ${signal} under load is missed for 2 s after its return at most`, async (t) => {
    const { postgres: store } = await platform.now();
    const loads = [
      startLoad({
        url: `${platform.gatewayUrl}/api/orders/add`,
        method: "POST",
        body: { items, currencyCode: "EUR" },
        token,
        perSecond: 40,
      }),
      startLoad({ url: `${platform.gatewayUrl}/api/users/me`, token, perSecond: 40 }),
    ];
    await sleep(2_000);
    process.kill(store.pid, signal);
    await waitFor("PostgreSQL to be back", async () => {
      const { pid, url } = (await platform.now()).postgres;
      return pid !== store.pid && (await accepts(url));
    });
    const backAt = performance.now();
    await sleep(5_000);
    await Promise.all(loads.map((load) => load.stop()));
    const samples = loads.flatMap((load) => load.samples);
    const failed = samples.filter(({ status }) => status >= 300 || status === 0);
    const lastMs = Math.max(...failed.map(({ atMs, tookMs }) => atMs + tookMs)) - backAt;
    t.diagnostic(
      `${JSON.stringify(statuses(samples))}, the last failure ${lastMs.toFixed(0)} ms after`,
    );
    assert.ok(failed.length > 0);
    assert.deepEqual(Object.keys(statuses(failed)), ["503"]);
    assert.ok(lastMs <= 2_000, `${lastMs} ms`);
  });

async function accepts(url: string): Promise<boolean> {
  const sql = postgres(url, { max: 1, connect_timeout: 1, onnotice: () => {} });
  try {
    await sql`select`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.end({ timeout: 1 });
  }
}
