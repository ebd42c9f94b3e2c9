import assert from "node:assert/strict";
import { test } from "node:test";
import { run } from "../../scripts/run.ts";
import { isInstalled, runConformance } from "./runner.ts";

const skip = isInstalled ? false : "not installed: node dev/launch.mjs e2e/conformance/install.ts";

test("client and server under test fit the schema that the suite comes with", {
  skip,
}, async () => {
  await run("tsc", ["--project", import.meta.dirname]);
});

for (const mode of ["server", "client"] as const) {
  test(`our gRPC ${mode} passes Connect's own conformance tests`, { skip }, async () => {
    const report = await runConformance(mode);
    assert.match(report, /, 0 failed/);
  });
}
