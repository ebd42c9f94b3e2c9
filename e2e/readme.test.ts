import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { startPlatform } from "../dev/own-platform.ts";

test("the lines of the README do what they say, in one shell from top to bottom", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const [, lines] = /<!-- A test runs these lines.*?-->\s+```sh\n(.*?)```/s.exec(readme) ?? [];
  assert.ok(lines, "the README has lines to run");
  const platform = await startPlatform();
  const folder = await mkdtemp(join(tmpdir(), "3l1-readme-"));
  try {
    const script = lines.replace("http://127.0.0.1:8080", platform.gatewayUrl);
    const { stdout } = await promisify(execFile)("bash", ["-euo", "pipefail", "-c", script], {
      cwd: folder,
    });
    assert.doesNotMatch(stdout, /"requestId"/, `an error came back:\n${stdout}`);
    for (const part of [
      '"email":"ann@example.com"',
      '"totalMinor":"900"',
      '"orders":[{',
      '"ORDER_STATUS_CANCELLED"',
    ])
      assert.ok(stdout.includes(part), `${part} is missing in:\n${stdout}`);
  } finally {
    await platform.stop();
    await rm(folder, { recursive: true });
  }
});
