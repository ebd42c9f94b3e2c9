import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { buildConsole, isConsoleFresh } from "./console-build.ts";
import { testFolder } from "./test-folder.ts";

const root = join(import.meta.dirname, "..");

/** A clone, as far as the console is concerned. */
function clone(): string {
  const folder = testFolder();
  mkdirSync(join(folder, "web"));
  for (const name of ["src", "index.html", "vite.config.ts", "tsconfig.json", "package.json"])
    cpSync(join(root, "web", name), join(folder, "web", name), { recursive: true });
  for (const name of ["tsconfig.json", "pnpm-lock.yaml"])
    cpSync(join(root, name), join(folder, name));
  for (const name of ["gen", "web/node_modules"]) symlinkSync(join(root, name), join(folder, name));
  return folder;
}

test("the console is built where it is missing or stale, and a mistake leaves the last build", async () => {
  const folder = clone();
  const dist = join(folder, "web/dist");
  const page = () => readFileSync(join(dist, "index.html"), "utf8");
  assert.equal(isConsoleFresh(folder), false);
  await Promise.all([buildConsole(folder), buildConsole(folder)]);
  assert.equal(isConsoleFresh(folder), true);
  const [, script = ""] = /src="\/(assets\/[^"]+)"/.exec(page()) ?? [];
  assert.ok(readFileSync(join(dist, script)).byteLength > 0);
  assert.ok(!/<style|<script>|\sstyle=|\son\w+=/.test(page()), "nothing inline");

  const source = join(folder, "web/src/main.tsx");
  const before = readFileSync(source, "utf8");
  writeFileSync(source, `${before}\nconst = 1;\n`);
  assert.equal(isConsoleFresh(folder), false);
  const last = page();
  await assert.rejects(buildConsole(folder), /could not be built[\s\S]*main\.tsx/);
  assert.equal(page(), last);

  writeFileSync(source, `${before}\nconsole.info("another");\n`);
  await buildConsole(folder);
  assert.notEqual(page(), last);
  const parts = readdirSync(join(dist, "assets"));
  assert.ok(!parts.includes(script.replace("assets/", "")), "old parts go");
  assert.deepEqual(readdirSync(dist).toSorted(), [".built-from", "assets", "index.html"]);
});
