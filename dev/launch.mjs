// Runs a TypeScript file of this repository on the Node.js that the repository brings along:
//   node dev/launch.mjs <file.ts> [arguments]
// Any Node.js from 18 on can run this file, so it is plain JavaScript without dependencies. It installs
// the workspace first where that is needed, with the very pnpm that package.json names.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { constants, tmpdir, userInfo } from "node:os";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 18;
const INSTALL_TIMEOUT_MS = 10 * 60_000;
const PROGRESS_MS = 15_000;
const LOCK_POLL_MS = 200;
const FORWARDED_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const runtime = join(root, "node_modules", "node", "bin", "node");
const stamp = join(root, "node_modules", ".3l1-installed");
const lock = join(root, ".local", "install.lock");

main().catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});

async function main() {
  const [script, ...args] = process.argv.slice(2);
  if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
    throw new Error(
      `This needs Node.js ${OLDEST_NODE} or later to start; this is ${process.version}. Get one at https://nodejs.org.`,
    );
  }
  if (!script) throw new Error("usage: node dev/launch.mjs <file.ts> [arguments]");
  if (!isInstalled()) await withInstallLock(install);
  process.exitCode = await runScript(script, args);
}

/** The exit code for us: the script's own, or 128 + n when signal n ended it. */
async function runScript(script, args) {
  const env = { ...process.env };
  // An empty HOME makes tools write to a folder named "~" here; without one they ask the system.
  if (env.HOME === "") delete env.HOME;
  // The channel carries nothing. It closes when we die, however we die: then the script can stop too.
  const stdio = ["inherit", "inherit", "inherit", "ipc"];
  const child = spawn(runtime, [resolve(root, script), ...args], { env, stdio });
  endWithNpm(child);
  const { code, signal } = await ended(child);
  return code ?? 128 + constants.signals[signal];
}

/** A SIGKILL of npm says nothing to us, but gives us another parent. */
function endWithNpm(child) {
  if (!process.env.npm_lifecycle_event) return;
  const npm = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(timer);
    child.kill("SIGTERM");
  }, 1000);
  timer.unref();
}

/**
 * Waits for a child, passing signals on to it. A Ctrl-C reaches the child from the terminal as well, so it
 * may see SIGINT more than once within milliseconds; dev/stop-requests.ts takes those for one.
 */
function ended(child) {
  return new Promise((done, failed) => {
    const forward = (signal) => child.kill(signal);
    for (const signal of FORWARDED_SIGNALS) process.on(signal, forward);
    const finish = (settle) => {
      for (const signal of FORWARDED_SIGNALS) process.off(signal, forward);
      settle();
    };
    child.once("error", (error) => finish(() => failed(error)));
    child.once("close", (code, signal) => finish(() => done({ code, signal })));
  });
}

function isInstalled() {
  try {
    fs.accessSync(runtime, fs.constants.X_OK);
    return fs.readFileSync(stamp, "utf8") === fingerprint();
  } catch {
    return false;
  }
}

/** Changes whenever an install would do something: another manifest, lockfile, pnpm or machine. */
function fingerprint() {
  const manifests = fs
    .readdirSync(root)
    .map((name) => join(root, name, "package.json"))
    .filter((file) => fs.existsSync(file))
    .sort();
  const files = ["package.json", "pnpm-workspace.yaml", "pnpm-lock.yaml"].map((f) => join(root, f));
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}\n`);
  for (const file of [...files, ...manifests]) hash.update(fs.readFileSync(file)).update("\0");
  return hash.digest("hex");
}

async function install() {
  if (isInstalled()) return;
  const manifest = JSON.parse(fs.readFileSync(join(root, "package.json"), "utf8"));
  const first = !fs.existsSync(runtime);
  say(first ? "installing dependencies (first time only)…" : "updating dependencies…");
  const startedAt = Date.now();
  const elapsed = () => `${((Date.now() - startedAt) / 1000).toFixed(1)} s`;
  const progress = setInterval(() => say(`  still at it after ${elapsed()}`), PROGRESS_MS);
  fs.rmSync(stamp, { force: true });
  await runPnpm(manifest.packageManager).finally(() => clearInterval(progress));
  fs.writeFileSync(stamp, fingerprint());
  say(`dependencies are there after ${elapsed()}`);
}

/** @param {string} pnpm name and version, as in "pnpm@12.21.0" */
async function runPnpm(pnpm) {
  const home = usableHome();
  const args = ["--yes", "--prefer-offline", pnpm, "install", "--frozen-lockfile"];
  const child = spawn("npx", args, {
    cwd: root,
    env: {
      ...withoutForeignHome(home.path),
      HOME: home.path,
      CI: "true", // no questions, no animation
      npm_config_update_notifier: "false",
    },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: INSTALL_TIMEOUT_MS,
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }
  try {
    const { code, signal } = await ended(child);
    if (code !== 0) throw new Error(`${pnpm} install ended with ${signal ?? `exit code ${code}`}`);
  } catch (error) {
    throw new Error(`${output}\n${installAdvice(error, pnpm, output)}`);
  } finally {
    if (home.temporary) fs.rmSync(home.path, { recursive: true, force: true });
  }
}

function installAdvice(error, pnpm, output) {
  if (error.code === "ENOENT") return "npx is not on PATH: install npm, which comes with Node.js.";
  // A package that is new to the workspace is refused in words alone.
  if (/ERR_PNPM_\w*LOCKFILE|"frozen-lockfile" because/.test(output))
    return `pnpm-lock.yaml does not fit the manifests. Bring it up to date: npx ${pnpm} install`;
  return [
    `Installing the dependencies failed: ${error.message}.`,
    "The first time needs the npm registry. Offline, or behind a proxy? Check that",
    `  npm view ${pnpm} version`,
    "answers (npm config set registry …, https-proxy …), then run the same command again.",
  ].join("\n");
}

/** A home that npm and pnpm can keep their caches in. HOME may be missing, empty, or not ours. */
function usableHome() {
  for (const path of [process.env.HOME, systemHome()]) {
    if (path && isAbsolute(path) && isWritable(path)) return { path, temporary: false };
  }
  return { path: fs.mkdtempSync(join(tmpdir(), "3l1-home-")), temporary: true };
}

/** npm start tells its children where its own cache and settings are; below a home of no use, neither is. */
function withoutForeignHome(home) {
  const { npm_config_cache, npm_config_userconfig, ...env } = process.env;
  return home === process.env.HOME ? process.env : env;
}

function systemHome() {
  try {
    return userInfo().homedir;
  } catch {
    return undefined; // a user without an account, as containers have them
  }
}

function isWritable(path) {
  try {
    fs.accessSync(path, fs.constants.W_OK | fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** One install at a time in this clone: whoever comes second waits, then finds the work done. */
async function withInstallLock(task) {
  const mine = `${lock}.${process.pid}`;
  fs.mkdirSync(dirname(lock), { recursive: true });
  fs.writeFileSync(mine, String(process.pid));
  try {
    if (!(await takeLock(mine))) {
      say("waiting for another install to finish…");
      while (!(await takeLock(mine))) await pause();
    }
    await task();
  } finally {
    if (isSameFile(mine, lock)) fs.rmSync(lock);
    fs.rmSync(mine, { force: true });
  }
}

/** The lock is a second name of its holder's file: link() is atomic, and never replaces. */
async function takeLock(mine) {
  if (link(mine)) return true;
  if (isHeld()) return false;
  fs.rmSync(lock, { force: true });
  if (!link(mine)) return false;
  await pause(); // another who found the lock stale may have removed ours just now
  return isSameFile(mine, lock);
}

function link(mine) {
  try {
    fs.linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

/** A holder that is gone, or has had longer than an install may take, holds nothing. */
function isHeld() {
  try {
    if (Date.now() - fs.statSync(lock).mtimeMs > INSTALL_TIMEOUT_MS) return false;
    process.kill(Number(fs.readFileSync(lock, "utf8")), 0);
    return true;
  } catch (error) {
    return error.code !== "ESRCH"; // EPERM: another user's; ENOENT: released this moment, ask again
  }
}

function isSameFile(a, b) {
  try {
    return fs.statSync(a).ino === fs.statSync(b).ino;
  } catch {
    return false;
  }
}

function pause() {
  return new Promise((wake) => setTimeout(wake, LOCK_POLL_MS));
}

function say(line) {
  process.stderr.write(`${line}\n`);
}
