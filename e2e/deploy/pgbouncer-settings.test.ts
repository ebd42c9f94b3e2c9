import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { root } from "../../scripts/run.ts";

const read = (path: string) => readFileSync(join(root, path), "utf8");

test("the roles get what the services ask for when they connect, no more and no less", async () => {
  const setting = /^alter role (\w+) in database \1 set (\w+) = '?([^';]+)'?;$/gm;
  const given = [...read("deploy/pgbouncer/role-settings.sql").matchAll(setting)].map(
    ([, role, name, value]) => `${role} ${name}=${value}`,
  );
  const [, timeoutMs = ""] =
    /statementTimeoutMs = ([\d_]+)/.exec(read("kit/src/stores/database.ts")) ?? [];
  const timeout = `statement_timeout=${Number(timeoutMs.replace("_", "")) / 1000}s`;
  const limits = pathToFileURL(join(root, "order-service/src/limits.ts")).href;
  const { connectionParameters } = await import(limits);
  const asked = [
    `user_service ${timeout}`,
    `order_service ${timeout}`,
    ...Object.entries(connectionParameters).map(
      ([name, value]) => `order_service ${name}=${value}`,
    ),
  ];
  assert.deepEqual(given.toSorted(), asked.toSorted());
});
