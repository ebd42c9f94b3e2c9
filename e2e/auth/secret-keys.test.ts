import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { randomKey } from "../../dev/secrets.ts";
import { register } from "../client.ts";
import { type SecondGateway, shared, startSecondGateway } from "../second-gateway.ts";
import { keepAsking } from "./keep-asking.ts";
import { holding, me, startTwoGateways, type TwoGateways } from "./two-gateways.ts";

const folder = mkdtempSync(join(tmpdir(), "3l1-secrets-"));
const secretFile = join(folder, "secret-keys");
const secretInFile = { SECRET_KEYS: "", SECRET_KEYS_FILE: secretFile };
let both: TwoGateways;
before(async () => {
  writeFileSync(secretFile, shared.SECRET_KEYS);
  both = await startTwoGateways(secretInFile);
});
after(async () => {
  await both?.stop();
  await rm(folder, { recursive: true });
});

test("SECRET_KEYS rotates in three steps, one process after the other, and nobody is logged out", async (t) => {
  const [ann, idle] = await Promise.all([register(both.urls[0]), register(both.urls[1])]);
  const fresh = randomKey();
  const load = keepAsking(ann, both.urls);
  let second: SecondGateway = both.second;
  t.after(() => Promise.all([load.stop(), second.stop()]));
  for (const keys of [`${shared.SECRET_KEYS},${fresh}`, `${fresh},${shared.SECRET_KEYS}`]) {
    writeFileSync(secretFile, keys);
    for (const name of ["userService", "orderService", "gateway"] as const) await restart(name);
    await second.stop();
    second = await startSecondGateway(both.platform, secretInFile);
  }
  await load.stop();
  assert.ok(load.counts.has(200));
  assert.ok(!load.counts.has(401) && !load.counts.has(403), JSON.stringify([...load.counts]));
  const at = holding(second.url, { cookie: idle.cookie });
  assert.equal((await at.get(me)).status, 200, "a key of the old secret, shown for the first time");
  writeFileSync(secretFile, fresh);
  await restart("userService");
  const last = holding(both.urls[0], { cookie: ann.cookie });
  assert.equal((await last.get(me)).status, 200, "whoever was there in between has a new key");
  const old = holding(both.urls[0], { cookie: idle.cookie });
  assert.equal((await old.get(me)).status, 401, "with the old secret gone, so are its keys");
});

/** Ends a process as a deployment would; the platform starts it again. */
async function restart(name: "gateway" | "userService" | "orderService"): Promise<void> {
  const { pid, adminUrl } = (await both.platform.now())[name];
  process.kill(pid, "SIGTERM");
  await waitFor(`${name} to be started again`, async () => {
    const isAnother = (await both.platform.now())[name].pid !== pid;
    const answer = isAnother && (await fetch(`${adminUrl}/readyz`).catch(() => undefined));
    return answer && answer.status === 200;
  });
}
