// What `npm run test:stress` does: the stories that take times, one after the other, on a machine that
// should have nothing else to do. `npm run test:stress -- FILE …` runs just these.

import { globSync } from "node:fs";
import { root, run } from "./run.ts";

const chosen = process.argv.slice(2);
const files = chosen.length > 0 ? chosen : globSync("e2e/stress/*.stress.ts", { cwd: root }).sort();
const flags = ["--test", "--test-concurrency=1", "--test-reporter=spec", "--test-timeout=600000"];
await run(process.execPath, [...flags, ...files], {
  env: { FORCE_COLOR: process.stdout.isTTY ? "1" : "0" },
  onOutput: (text) => void process.stdout.write(text),
  timeoutMs: 1_800_000,
}).catch(() => {
  process.exitCode = 1;
});
