import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { logFileOf, showServiceLogs } from "./service-logs.ts";
import type { Terminal } from "./terminal.ts";
import { testFolder } from "./test-folder.ts";

/** A platform's output, as a terminal or as a pipe, and the log of a service that it shows. */
function start(isTTY: boolean) {
  const file = logFileOf(testFolder(), "gateway");
  writeFileSync(file, "of the run before\n");
  const printed: string[] = [];
  const terminal: Terminal = {
    print: (text = "") => void printed.push(...text.split("\n")),
    paint: (_, text) => text,
    step: (_, run) => run(),
  };
  const logs = showServiceLogs(terminal, { isTTY, writableLength: 0 } as NodeJS.WriteStream);
  logs.show(file);
  const log = (level: string, msg: string, ageMs: number) => {
    const time = new Date(Date.now() - ageMs).toISOString();
    const line = JSON.stringify({ level, time, name: "gateway", msg });
    appendFileSync(file, `${line}\n`);
    return line;
  };
  return { logs, log, printed, file };
}

test("at a terminal the start is quiet, and warnings are readable, before and after", () => {
  const { logs, log, printed, file } = start(true);
  log("info", "ready", 0);
  log("warn", "redis is away", 0);
  logs.ready();
  log("info", "request", -1000);
  log("error", "it failed", -1000);
  logs.close();
  assert.equal(printed.length, 2, printed.join("\n"));
  assert.match(printed[0] ?? "", /warn {3}gateway {8}redis is away$/);
  assert.match(printed[1] ?? "", /error {2}gateway {8}it failed$/);
  assert.doesNotMatch(readFileSync(file, "utf8"), /of the run before/);
});

test("a pipe gets a quiet start too, and then every line as it was written", () => {
  const { logs, log, printed } = start(false);
  log("info", "ready", 1000);
  const warning = log("warn", "redis is away", 1000);
  logs.ready();
  log("info", "a request of the demo, written late", 1000);
  const request = log("info", "request", -1000);
  logs.close();
  assert.deepEqual(printed, [warning, request]);
});
