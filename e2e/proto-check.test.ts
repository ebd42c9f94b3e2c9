import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";
import { parse } from "yaml";
import { root } from "../scripts/run.ts";
import { copyRepository, type ScratchCopy } from "./scratch-copy.ts";

/*
 * What `npm run proto:check` says of changes to the schema, in a copy of the repository on a branch beside
 * `main`.
 */

let copy: ScratchCopy;
before(async () => {
  copy = await copyRepository();
});
beforeEach(async () => {
  await copy.git("checkout", "--quiet", "--force", "-B", "change", "main");
});
after(() => copy[Symbol.asyncDispose]());

async function change(from: string | RegExp, to: string): Promise<void> {
  const file = join(copy.folder, "proto/order/v1/order_service.proto");
  const before = await readFile(file, "utf8");
  const changed = before.replace(from, to);
  assert.notEqual(changed, before);
  await writeFile(file, changed);
}

async function generate(): Promise<void> {
  await copy.node("scripts/generate.ts");
}

/** @returns undefined when all is well, else what it said. */
function check(...word: string[]): Promise<string | undefined> {
  return copy.node("scripts/proto-check.ts", ...word).then(
    () => undefined,
    (error: Error) => error.message,
  );
}

test("a comment may change, once what follows from it is generated", async () => {
  await change("// What to order.", "// What to order, and how much of it.");
  const stale = await check();
  assert.match(stale ?? "", /✔ schema breaks no client/);
  assert.match(stale ?? "", /✖ generated code is fresh\n.*npm run generate/);
  assert.match(stale ?? "", /order\/v1\/order_service_pb\.ts/);
  await generate();
  assert.equal(await check(), undefined);
});

test("a field that is renamed breaks clients, committed or not", async () => {
  await change("string note = 3", "string remark = 3");
  const complaint = /✖ schema breaks no client\n[^✔✖]*Field "3" .*name.*"note" to "remark"/i;
  assert.match((await check("breaks")) ?? "", complaint);
  await copy.git("commit", "--quiet", "--all", "--message=Rename a field");
  await copy.git("commit", "--quiet", "--allow-empty", "--message=Do something else");
  assert.match((await check("breaks")) ?? "", complaint);
});

test("a field of another type breaks clients", async () => {
  await change("optional int32 version = 3", "optional int64 version = 3");
  await change("(buf.validate.field).int32.gte = 1", "(buf.validate.field).int64.gte = 1");
  const complaint = /✖ schema breaks no client\n[^✔✖]*Field "3" .*"int32" to "int64"/;
  assert.match((await check("breaks")) ?? "", complaint);
});

test("an RPC that is removed breaks clients, on main too", async () => {
  await copy.git("checkout", "--quiet", "main");
  const method = / {2}\/\/ What happened to an order, the oldest first\.[\s\S]*?\n {2}\}\n/;
  await change(method, "");
  await change(/\/\/ Whose history\.\nmessage ListOrderEventsRequest \{[^}]*\}\n\n/, "");
  await change(
    /\/\/ What happened to an order\.\nmessage ListOrderEventsResponse \{[^}]*\}\n\n/,
    "",
  );
  const complaint = /✖ schema breaks no client\n[^✔✖]*"ListOrderEvents".*deleted/;
  assert.match((await check("breaks")) ?? "", complaint);
});

interface Workflow {
  readonly permissions: unknown;
  readonly jobs: Record<
    string,
    { readonly permissions?: unknown; readonly steps: readonly Step[] }
  >;
}

interface Step {
  readonly uses?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly run?: string;
}

test("a pull request is checked the same way: with main at hand, pinned actions, and no rights", async () => {
  const text = await readFile(join(root, ".github/workflows/ci.yml"), "utf8");
  const { permissions, jobs } = parse(text) as Workflow;
  assert.deepEqual(permissions, { contents: "read" });
  const { steps } = jobs.schema ?? assert.fail("no job for the schema");
  assert.equal(steps[0]?.with?.["fetch-depth"], 0);
  assert.equal(steps.at(-1)?.run, "npm run proto:check");
  for (const job of Object.values(jobs)) {
    assert.equal(job.permissions, undefined);
    for (const { uses } of job.steps) assert.match(uses ?? "own/step@", /@(?:[0-9a-f]{40})?$/);
  }
});
