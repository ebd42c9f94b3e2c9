import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import type { Figures } from "../bench/figures.ts";
import type { Goal } from "../bench/goals.ts";

const bench = join(import.meta.dirname, "../bench/main.ts");

test("the bench measures every hop and the platform, and writes figures and a chart", async () => {
  const folder = await mkdtemp(join(tmpdir(), "3l1-bench-"));
  try {
    const args = [bench, "--quick", "--out", folder];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const text = await readFile(join(folder, "performance.json"), "utf8");
    const { scenarios, goals }: { scenarios: Figures[]; goals: Goal[] } = JSON.parse(text);
    assert.deepEqual(
      scenarios.map(({ name }) => name),
      [
        "fastify",
        "stock",
        "stock-interceptors",
        "grpc-js",
        "own",
        "own-interceptors",
        "read-order",
        "place-order",
        "log-in",
      ],
    );
    for (const { name, title, requestsPerSecond, totalCpuMs, peakRssMiB } of scenarios) {
      assert.ok(requestsPerSecond > 0 && Number.isFinite(totalCpuMs), name);
      assert.ok((peakRssMiB.gateway ?? 0) > 0, name);
      assert.ok(stdout.includes(title), `${title} is missing in the table`);
    }
    for (const { title, value } of goals) assert.ok(Number.isFinite(value), title);
    const chart = await readFile(join(folder, "performance.svg"), "utf8");
    assert.match(chart, /^<svg [\s\S]*<\/svg>\n$/);
    assert.ok(chart.includes("3L1: GET /api/orders/info"));
  } finally {
    await rm(folder, { recursive: true });
  }
});
