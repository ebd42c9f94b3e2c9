import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const buildTimeoutMs = 120_000;
/** What the console is made of, beside the packages that the lockfile names. */
const sources = [
  "web/src",
  "web/index.html",
  "web/vite.config.ts",
  "gen/src",
  "gen/client",
  "pnpm-lock.yaml",
];

/** Whether the console in `web/dist` is made of what is there now. */
export function isConsoleFresh(root: string): boolean {
  return readIfThere(stampIn(root)) === fingerprint(root) && existsSync(pageIn(root));
}

/**
 * Builds the console into `web/dist`, beside and then over the old one, in an order in which each page
 * finds its parts: several platforms may start from one clone at once.
 *
 * @throws with what the bundler says
 */
export async function buildConsole(root: string, signal?: AbortSignal): Promise<void> {
  const web = join(root, "web");
  const made = fingerprint(root);
  const dist = join(web, "dist");
  mkdirSync(join(dist, "assets"), { recursive: true });
  const draft = mkdtempSync(join(web, "dist", ".draft-"));
  try {
    const vite = join(web, "node_modules/vite/bin/vite.js");
    const args = [vite, "build", "--logLevel", "warn", "--outDir", draft, "--emptyOutDir"];
    await run(process.execPath, args, {
      cwd: web,
      timeout: buildTimeoutMs,
      ...(signal && { signal }),
    });
    publish(draft, dist);
    writeFileSync(stampIn(root), made);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(`the console could not be built:\n${stderr || message}`);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}

/** Parts first, then the page that names them, then old parts go. */
function publish(draft: string, dist: string): void {
  const parts = readdirSync(join(draft, "assets"));
  for (const name of parts) renameSync(join(draft, "assets", name), join(dist, "assets", name));
  renameSync(join(draft, "index.html"), join(dist, "index.html"));
  for (const name of readdirSync(join(dist, "assets")))
    if (!parts.includes(name)) rmSync(join(dist, "assets", name), { force: true });
}

function fingerprint(root: string): string {
  const hash = createHash("sha256");
  for (const path of sources.flatMap((source) => filesAt(root, source)))
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update("\0");
  return hash.digest("hex");
}

function filesAt(root: string, path: string): string[] {
  if (!statSync(join(root, path)).isDirectory()) return [path];
  return readdirSync(join(root, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

function stampIn(root: string): string {
  return join(root, "web/dist/.built-from");
}

function pageIn(root: string): string {
  return join(root, "web/dist/index.html");
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
