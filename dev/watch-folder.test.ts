import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { testFolder } from "./test-folder.ts";
import { waitUntil } from "./wait.ts";
import { watchFolder } from "./watch-folder.ts";

test("a file is followed however often it is replaced, and in folders that are new", async (t) => {
  const root = testFolder();
  const folder = join(root, "src/below");
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "file.ts");
  writeFileSync(file, "0");
  const told: string[] = [];
  const watcher = watchFolder(join(root, "src"), (path) => told.push(path));
  t.after(() => watcher.close());
  const { signal } = new AbortController();
  const hears = async (path: string) => {
    const what = `word of ${path}`;
    await waitUntil(() => told.includes(path), { what, deadlineMs: 10_000, signal });
    told.length = 0;
  };
  for (const round of ["1", "2", "3"]) {
    writeFileSync(join(root, "draft"), round);
    renameSync(join(root, "draft"), file);
    await hears(file);
  }
  mkdirSync(join(folder, "new"));
  await hears(join(folder, "new"));
  writeFileSync(join(folder, "new/other.ts"), "");
  await hears(join(folder, "new/other.ts"));
  watcher.close();
  assert.doesNotThrow(() => watcher.close());
});
