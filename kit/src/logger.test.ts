import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

test("a line is JSON with name, level and time, and secrets logged by mistake are redacted", () => {
  const script = `
    import { createLogger } from ${JSON.stringify(new URL("./logger.ts", import.meta.url))};
    const logger = createLogger("svc", "info", false);
    logger.info({ password: "p1", body: { token: "p2", headers: { authorization: "p3", "set-cookie": "p4" } }, requestId: "r" }, "hello");
    logger.debug("not this");`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    encoding: "utf8",
  });
  const lines = stdout.trim().split("\n");
  assert.equal(lines.length, 1);
  const line = JSON.parse(lines[0] ?? "");
  assert.deepEqual(
    [line.name, line.level, line.msg, line.requestId],
    ["svc", "info", "hello", "r"],
  );
  assert.ok(Date.parse(line.time) > 0);
  assert.doesNotMatch(stdout, /p[1-4]"/);
});
