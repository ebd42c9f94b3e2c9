import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { manageProcess } from "./process.ts";
import { testFolder } from "./test-folder.ts";
import { waitUntil } from "./wait.ts";
import { watchSources } from "./watch.ts";

test("a change starts those again that use the file, and only those", async (t) => {
  const root = testFolder();
  const services = ["gateway", "user-service"].map((name) => {
    mkdirSync(join(root, name, "src"), { recursive: true });
    const main = join(root, name, "src", "main.ts");
    const uses = name === "gateway" ? 'import "@3l1/kit/shared.ts";' : "";
    writeFileSync(main, `// ${uses}\nconsole.log("up"); setInterval(() => {}, 1000);\n`);
    const logFile = join(root, `${name}.log`);
    const command = { command: process.execPath, args: [main], env: {}, logFile };
    const stop = { stopSignal: "SIGTERM", killAfterMs: 5_000 } as const;
    const events = { changed() {}, report() {} };
    const managed = manageProcess({ name, role: "service", ...command, ...stop }, events);
    return { managed, isUp: async () => readFileSync(logFile, "utf8") !== "" };
  });
  for (const folder of ["kit/src", "gen/src"]) mkdirSync(join(root, folder), { recursive: true });
  for (const file of ["shared", "other"]) writeFileSync(join(root, "kit/src", `${file}.ts`), "");
  const { signal } = new AbortController();
  const wait = { deadlineMs: 10_000, signal };
  for (const { managed, isUp } of services) await managed.start(isUp, wait);

  const lines: string[] = [];
  const processes = services.map(({ managed }) => managed);
  const watcher = watchSources(root, processes, (line) => lines.push(line));
  t.after(async () => {
    watcher.close();
    await Promise.all(processes.map((process) => process.stop()));
  });
  const [gateway, userService] = processes.map(({ pid }) => pid);
  appendFileSync(join(root, "kit/src/other.ts"), "// nobody uses it\n");
  appendFileSync(join(root, "kit/src/shared.ts"), "// the gateway does\n");
  await waitUntil(() => processes[0]?.pid !== gateway && processes[0]?.pid !== null, {
    ...wait,
    what: "the gateway's new life",
  });
  assert.deepEqual(lines, ["gateway has changed; starting it again"]);
  assert.equal(processes[1]?.pid, userService);
});
