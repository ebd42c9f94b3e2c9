import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { startPlatform } from "../dev/own-platform.ts";

const run = promisify(execFile);
const platform = await startPlatform({ PLATFORM_DEMO: "true" });
after(() => platform.stop());

async function logs(...args: string[]): Promise<string> {
  const script = join(import.meta.dirname, "../dev/logs.ts");
  const env = { ...process.env, PLATFORM_DIR: platform.folder };
  return (await run(process.execPath, [script, ...args], { env })).stdout;
}

test("the first start shows steps and what to try, and no log line in between", async () => {
  const shown = await waitFor("the lines to paste", () =>
    platform.output().includes("/api/orders/list?pageSize=2") ? platform.output() : undefined,
  );
  assert.match(shown, /✓ user-service .*✓ demo data .*3L1 is ready in .*console .*logs /s);
  assert.doesNotMatch(shown, /"level":/);
});

test("what the services logged meanwhile can be read, and has no failed login", async () => {
  const all = await logs();
  assert.match(all, /info {3}user-service {3}audit {2}audit=registered/);
  assert.doesNotMatch(all, /login failed|unauthenticated/);
  const times = all.split("\n").flatMap((line) => /^\d\d:\d\d:\d\d/.exec(line) ?? []);
  assert.deepEqual(times, [...times].sort());
});

test("one service's logs alone; one that is not there is told of", async () => {
  assert.doesNotMatch(await logs("order-service"), /user-service|gateway/);
  await assert.rejects(logs("orders"), /there is no service "orders"/);
});

test("requests after the start come as JSON where the output is no terminal", async () => {
  await fetch(`${platform.gatewayUrl}/api/users/me`, { headers: { "x-request-id": "after-it" } });
  await waitFor("its line", () => /^\{.*"after-it".*\}$/m.test(platform.output()));
});
