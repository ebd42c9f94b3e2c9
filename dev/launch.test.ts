import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { testFolder } from "./test-folder.ts";

/** An npx that notes each install, takes a moment, and brings the runtime as pnpm would. */
const npx = `#!/bin/sh
echo "$* HOME=$HOME" >> installs
if [ -n "$FAIL" ]; then echo "$FAIL" >&2; exit 1; fi
sleep 0.3
mkdir -p node_modules/node/bin
ln -sf "${process.execPath}" node_modules/node/bin/node
`;

/** A repository of one script, not installed yet. */
function repository(script: string): string {
  const root = testFolder();
  for (const folder of ["dev", "bin"]) mkdirSync(join(root, folder));
  copyFileSync(join(import.meta.dirname, "launch.mjs"), join(root, "dev/launch.mjs"));
  writeFileSync(join(root, "package.json"), '{"type":"module","packageManager":"pnpm@1.2.3"}');
  for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml"]) writeFileSync(join(root, file), "");
  writeFileSync(join(root, "script.ts"), script);
  writeFileSync(join(root, "bin/npx"), npx);
  chmodSync(join(root, "bin/npx"), 0o755);
  return root;
}

function launch(t: TestContext, root: string, env: Record<string, string> = {}, ...args: string[]) {
  const PATH = `${join(root, "bin")}:${process.env.PATH}`;
  const child = spawn(process.execPath, ["dev/launch.mjs", "script.ts", ...args], {
    cwd: root,
    env: { PATH, HOME: root, ...env },
  });
  t.after(() => child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number, output }));
  return { child, ended };
}

async function said(child: ChildProcess, text: string): Promise<void> {
  for await (const [chunk] of on(child)) if (String(chunk).includes(text)) return;
}

async function* on(child: ChildProcess) {
  while (child.exitCode === null && child.stdout) yield await once(child.stdout, "data");
}

const installs = (root: string) => readFileSync(join(root, "installs"), "utf8").trim().split("\n");

test("it installs once, with the pnpm that package.json names, and again when the lockfile changes", async (t) => {
  const root = repository("console.log(process.argv.slice(2)); process.exit(7)");
  const first = await launch(t, root, {}, "--watch", "a b").ended;
  assert.equal(first.code, 7);
  assert.match(first.output, /first time only[\s\S]*\[ '--watch', 'a b' \]/);
  assert.equal((await launch(t, root).ended).output, "[]\n");
  writeFileSync(join(root, "pnpm-lock.yaml"), "changed");
  assert.match((await launch(t, root).ended).output, /updating dependencies/);
  const install = `--yes --prefer-offline pnpm@1.2.3 install --frozen-lockfile HOME=${root}`;
  assert.deepEqual(installs(root), [install, install]);
});

test("of several at once, one installs and the others wait for it", async (t) => {
  const root = repository("process.exit(0)");
  mkdirSync(join(root, ".local"));
  writeFileSync(join(root, ".local/install.lock"), "999999999"); // of one that was killed
  const all = await Promise.all([1, 2, 3].map(() => launch(t, root).ended));
  assert.deepEqual(
    all.map(({ code }) => code),
    [0, 0, 0],
  );
  assert.equal(installs(root).length, 1);
  assert.equal(existsSync(join(root, ".local/install.lock")), false);
});

test("a failed install is told with its output and what to do, and tried again next time", async (t) => {
  const root = repository("process.exit(0)");
  const { code, output } = await launch(t, root, { FAIL: "no network today" }).ended;
  assert.equal(code, 1);
  assert.match(output, /no network today[\s\S]*npm view pnpm@1\.2\.3 version/);
  assert.equal((await launch(t, root).ended).code, 0);
});

test("a package that the lockfile does not know is not taken for a registry that is away", async (t) => {
  const words = 'Cannot install with "frozen-lockfile" because pnpm-lock.yaml has no importer';
  const { output } = await launch(t, repository(""), { FAIL: words }).ended;
  assert.match(output, /does not fit the manifests.*: npx pnpm@1\.2\.3 install/);
  assert.doesNotMatch(output, /npm view/);
});

test("without a home of use, it installs in another one", async (t) => {
  const root = repository("console.log(process.env.HOME)");
  assert.match((await launch(t, root, { HOME: "" }).ended).output, /\nundefined\n$/);
  assert.match(installs(root)[0] ?? "", /HOME=\/./);
});

test("a signal reaches the script, and the script decides how it ends", async (t) => {
  const script =
    'process.on("SIGTERM", () => process.exit(5)); setInterval(() => {}, 1e3); console.log("up");';
  const { child, ended } = launch(t, repository(script));
  await said(child, "up");
  child.kill("SIGTERM");
  assert.equal((await ended).code, 5);
});

test("a script that a signal ends is reported as a shell would", async (t) => {
  const { ended } = launch(t, repository('process.kill(process.pid, "SIGKILL")'));
  assert.equal((await ended).code, 137);
});

test("a script sees the death of the launcher", async (t) => {
  const script = `
    import { writeFileSync } from "node:fs";
    process.on("disconnect", () => { writeFileSync("orphaned", ""); process.exit(); });
    setInterval(() => {}, 1e3);
    console.log("up");`;
  const root = repository(script);
  const { child, ended } = launch(t, root);
  await said(child, "up");
  child.kill("SIGKILL");
  await ended; // the script held the other end of the pipe
  assert.equal(existsSync(join(root, "orphaned")), true);
});
