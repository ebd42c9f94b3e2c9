import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import bcrypt from "bcrypt";
import { createHashingProcess } from "./hashing-process.ts";

const quick = { memoryCost: 64, timeCost: 2, parallelism: 1 };
const longMs = 60_000;
const folder = mkdtempSync(join(tmpdir(), "3l1-hashing-"));
after(() => rmSync(folder, { recursive: true }));
const file = new URL("./hashing-process.ts", import.meta.url).href;

/** Of the reference implementation, with costs in two orders, and one that has two lanes. */
const foreign = [
  [
    "a long enough passphrase",
    "$argon2id$v=19$m=64,p=1,t=2$MDEyMzQ1Njc4OWFiY2RlZg$6DDr+alcU7xV3A7PPaOcUPAB2+v/l01+b7eS2NT7Zj0",
  ],
  [
    "a long enough passphrase",
    "$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6DDr+alcU7xV3A7PPaOcUPAB2+v/l01+b7eS2NT7Zj0",
  ],
  [
    "caf\u00e9",
    "$argon2id$v=19$m=128,p=2,t=3$MDEyMzQ1Njc4OWFiY2RlZg$OJuudXpIh2WbFprROz+eDFUux83q//Vj5ZVvgG9E6+g",
  ],
] as const;

test("hashes are made and compared, several at a time", async () => {
  const hashing = createHashingProcess();
  const words = ["one", "two", "three", "four"];
  const hashes = await Promise.all(words.map((word) => hashing.hash(word, quick)));
  const isSame = (word: string) => Promise.all(hashes.map((hash) => hashing.matches(word, hash)));
  assert.deepEqual(await isSame("two"), [false, true, false, false]);
});

test("hashes of the reference implementation are read", async () => {
  const hashing = createHashingProcess();
  for (const [password, hash] of foreign) {
    assert.equal(await hashing.matches(password, hash), true);
    assert.equal(await hashing.matches(`${password}!`, hash), false);
  }
});

test("a hash of bcrypt is compared, and a password does not end at a NUL", async () => {
  const hashing = createHashingProcess();
  const hash = await bcrypt.hash("secret", 4);
  assert.equal(await hashing.matches("secret", hash), true);
  assert.equal(await hashing.matches("secret\0and more", hash), false);
});

test("a hash that cannot be read fails alone, and is not shown", async () => {
  const hashing = createHashingProcess();
  const failure = await hashing.matches("secret", "no hash").catch((error: Error) => error.message);
  assert.equal(failure, "a password's hash could not be made or read");
  const hash = await hashing.hash("secret", quick);
  assert.equal(await hashing.matches("secret", hash), true);
});

/** Answers with its pid, and dies of a fatal password. */
const mortal = scriptOf(
  "mortal",
  `
  process.on("message", ({ id, password }) => {
    if (password === "fatal") process.exit(1);
    process.send({ id, value: String(process.pid) });
  });`,
);

test("a process that dies takes its hashes along, and another takes its place", async () => {
  const hashing = createHashingProcess(mortal, { deadlineMs: longMs, idleMs: longMs });
  const first = await hashing.hash("harmless", quick);
  assert.equal(await hashing.hash("harmless", quick), first);
  const error = ConnectError.from(await hashing.hash("fatal", quick).catch((cause) => cause));
  assert.equal(error.code, Code.Unavailable);
  assert.equal(reasonOf(error), Reason.PASSWORD_HASHING_BUSY);
  assert.notEqual(await hashing.hash("harmless", quick), first);
});

test("a process that hangs is killed, and another takes its place", async () => {
  const hashing = createHashingProcess(mortal, { deadlineMs: 500, idleMs: longMs });
  const first = Number(await hashing.hash("harmless", quick));
  process.kill(first, "SIGSTOP");
  await assert.rejects(hashing.hash("harmless", quick), /try again/);
  assert.equal(isAlive(first), false);
});

test("a process that nobody needs for a while ends", async () => {
  const hashing = createHashingProcess(mortal, { deadlineMs: longMs, idleMs: 1 });
  const first = await hashing.hash("harmless", quick);
  const keepAlive = setInterval(() => {}, longMs);
  while (isAlive(Number(first))) await new Promise((resolve) => setImmediate(resolve));
  clearInterval(keepAlive);
  assert.notEqual(await hashing.hash("harmless", quick), first);
});

test("it stands back behind the others, and knows nothing of its parent's environment", async () => {
  const script = scriptOf(
    "curious",
    `
    import { getPriority } from "node:os";
    await import(${JSON.stringify(new URL("./hashing-child.ts", import.meta.url).href)});
    process.removeAllListeners("message");
    process.on("message", ({ id }) => {
      process.send({ id, value: getPriority() + " " + Object.keys(process.env).join() });
    });`,
  );
  const [priority, names] = (await createHashingProcess(script).hash("any", quick)).split(" ");
  assert.ok(Number(priority) > getPriority(), priority);
  assert.doesNotMatch(names ?? "", /SECRET|PATH|URL/);
});

test("an idle process does not keep its parent from ending, a hash under way does", async () => {
  const program = `import { createHashingProcess } from "${file}";
    createHashingProcess().hash("secret", ${JSON.stringify(quick)}).then(console.log);`;
  const parent = spawn(process.execPath, ["--input-type=module", "-e", program]);
  let output = "";
  parent.stdout.on("data", (text) => (output += text));
  assert.deepEqual(await once(parent, "close"), [0, null]);
  assert.match(output, /^\$argon2id\$/);
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A script in a file of its own, since a process starts with one. */
function scriptOf(name: string, text: string): URL {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, text);
  return pathToFileURL(file);
}
