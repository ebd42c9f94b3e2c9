import assert from "node:assert/strict";
import { appendFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type FollowOptions, followLog } from "./follow-log.ts";
import { testFolder } from "./test-folder.ts";
import { waitUntil } from "./wait.ts";

const { signal } = new AbortController();

function follow(t: TestContext, content: string, options?: FollowOptions) {
  const file = join(testFolder(), "a.log");
  writeFileSync(file, content);
  const seen: string[] = [];
  const log = followLog(file, (lines) => void seen.push(...lines), options);
  t.after(() => log.close());
  const until = (line: string) =>
    waitUntil(() => seen.includes(line), { what: line, deadlineMs: 30_000, signal });
  return { file, seen, until };
}

test("lines are told as they come, and one that is not finished waits", async (t) => {
  const { file, seen, until } = follow(t, "one\n\ntw");
  assert.deepEqual(seen, ["one", ""]);
  appendFileSync(file, "o\nthr");
  await until("two");
  appendFileSync(file, "ee\n");
  await until("three");
  assert.deepEqual(seen, ["one", "", "two", "three"]);
});

test("the last bytes begin with a whole line", (t) => {
  assert.deepEqual(follow(t, "first\nsecond\nthird\n", { lastBytes: 10 }).seen, ["third"]);
  assert.deepEqual(follow(t, "first\nsecond\nthird\n", { lastBytes: 6 }).seen, ["third"]);
  assert.deepEqual(follow(t, "first\nsecond\n", { lastBytes: 1000 }).seen, ["first", "second"]);
});

test("a file that has grown too large begins anew, and no line is missed", async (t) => {
  const { file, seen, until } = follow(t, "", { maxBytes: 20 });
  for (const line of [
    "a line of some length",
    "another one of them",
    "a third one of some length",
  ]) {
    appendFileSync(file, `${line}\n`);
    await until(line);
  }
  assert.equal(seen.length, 3);
  assert.ok(statSync(file).size <= 20);
});
