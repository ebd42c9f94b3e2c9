import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import bcrypt from "bcrypt";
import { createHashingThreads } from "./hashing-threads.ts";

const quick = { memoryCost: 64, timeCost: 2, parallelism: 1 };
const file = new URL("./hashing-threads.ts", import.meta.url).href;

test("hashes are made and compared, several at a time", async () => {
  const threads = createHashingThreads();
  const words = ["one", "two", "three", "four"];
  const hashes = await Promise.all(words.map((word) => threads.hash(word, quick)));
  const isSame = (word: string) => Promise.all(hashes.map((hash) => threads.matches(word, hash)));
  assert.deepEqual(await isSame("two"), [false, true, false, false]);
});

test("a hash of bcrypt is compared, and a password does not end at a NUL", async () => {
  const threads = createHashingThreads();
  const hash = await bcrypt.hash("secret", 4);
  assert.equal(await threads.matches("secret", hash), true);
  assert.equal(await threads.matches("secret\0and more", hash), false);
});

test("a hash that cannot be read fails alone", async () => {
  const threads = createHashingThreads();
  await assert.rejects(threads.matches("secret", "no hash"), /no kind that is known/);
  const hash = await threads.hash("secret", quick);
  assert.equal(await threads.matches("secret", hash), true);
});

test("a thread that dies takes its own hash along, and another takes its place", async () => {
  const mortal = `
    import { parentPort, threadId } from "node:worker_threads";
    parentPort.on("message", ({ password }) => {
      if (password === "fatal") process.exit(1);
      parentPort.postMessage({ value: "by " + threadId });
    });`;
  const threads = createHashingThreads(new URL(`data:text/javascript,${encodeURI(mortal)}`));
  const first = await threads.hash("harmless", quick);
  assert.equal(await threads.hash("harmless", quick), first);
  await assert.rejects(threads.hash("fatal", quick), /has ended/);
  assert.notEqual(await threads.hash("harmless", quick), first);
});

test("a process with idle threads ends by itself, but not before its hash is there", async () => {
  const script = `import { createHashingThreads } from "${file}";
    createHashingThreads().hash("secret", ${JSON.stringify(quick)}).then(console.log);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script]);
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  assert.deepEqual(await once(child, "close"), [0, null]);
  assert.match(output, /^\$argon2id\$/);
});

test("threads that hash stand back behind the others", {
  skip: process.platform !== "linux" && "only Linux has a priority for each thread",
}, async () => {
  await createHashingThreads().hash("secret", quick);
  const nice = readdirSync("/proc/self/task").map(
    (id) =>
      readFileSync(`/proc/self/task/${id}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")[16],
  );
  assert.ok(nice.includes("10"), `${nice}`);
  assert.equal(
    readFileSync("/proc/self/stat", "utf8")
      .replace(/^.*\) /s, "")
      .split(" ")[16],
    "0",
  );
});
