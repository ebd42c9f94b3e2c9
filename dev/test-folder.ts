import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders: string[] = [];
process.once("exit", () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

/** An empty folder that goes with the test process, after whatever a test has left to stop in it. */
export function testFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "3l1-dev-"));
  folders.push(folder);
  return folder;
}
