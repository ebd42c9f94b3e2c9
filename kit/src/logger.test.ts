import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";

const { href } = new URL("./logger.ts", import.meta.url);

/** What a process writes that runs a script with a logger called `logger`. */
function outputOf(script: string): string {
  const start = `import { createLogger } from ${JSON.stringify(href)};
    const logger = createLogger("svc", "info", false);`;
  const args = ["--input-type=module", "-e", `${start}\n${script}`];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
}

test("a line is JSON with name, level and time, and secrets logged by mistake are redacted", () => {
  const stdout = outputOf(`
    logger.info({ password: "p1", body: { token: "p2", headers: { authorization: "p3", "set-cookie": "p4" } }, requestId: "r" }, "hello");
    logger.debug("not this");`);
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

test("no line is lost when the process exits, or dies of an error, right after it", () => {
  const messages = (script: string) =>
    outputOf(script)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).msg);
  assert.deepEqual(messages('logger.info("one"); logger.info("two"); process.exit(1);'), [
    "one",
    "two",
  ]);
  assert.deepEqual(messages('logger.info("one"); throw new Error();'), ["one"]);
  assert.deepEqual(messages('logger.info("one"); logger.fatal("two"); process.abort();'), [
    "one",
    "two",
  ]);
});

test("thousands of lines keep their order", () => {
  const stdout = outputOf("for (let i = 0; i < 5000; i++) logger.info({ i });");
  const numbers = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).i);
  assert.deepEqual(numbers, [...numbers.keys()]);
  assert.equal(numbers.length, 5000);
});
