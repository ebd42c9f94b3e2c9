import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Redis } from "ioredis";
import { openPlatform } from "./platform.ts";
import { freePorts } from "./ports.ts";
import { startRedis } from "./redis.ts";
import { testFolder } from "./test-folder.ts";

const signal = AbortSignal.timeout(180_000);

async function start(t: TestContext, folder: string) {
  const report = (line: string) => t.diagnostic(line);
  const platform = await openPlatform(folder, report);
  t.after(() => platform.stop());
  const [port = 0] = await freePorts(1);
  const store = { folder: join(folder, "redis"), port, manage: platform.manage, signal, report };
  return { platform, ...(await startRedis(store)) };
}

test("what is written outlives Redis, and nobody gets in without the password", async (t) => {
  const folder = testFolder();
  const first = await start(t, folder);
  const writer = new Redis(first.url);
  await writer.set("session", "kept");
  writer.disconnect();
  await first.platform.stop();

  const second = await start(t, folder);
  assert.notEqual(new URL(second.url).password, new URL(first.url).password);
  const reader = new Redis(second.url);
  assert.equal(await reader.get("session"), "kept");
  assert.equal(await reader.eval("return redis.call('time')[1] ~= nil", 0), 1);
  reader.disconnect();
  const stranger = new Redis({ port: Number(new URL(second.url).port), retryStrategy: () => null });
  stranger.on("error", () => {});
  await assert.rejects(stranger.get("session"), /NOAUTH/);
  stranger.disconnect();
});
