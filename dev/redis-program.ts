import { execFile } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { fetchPackages } from "./debian-packages.ts";
import { StartError } from "./start-error.ts";

const run = promisify(execFile);

/** Valkey is Redis under its free license; either will do. */
const names = ["redis-server", "valkey-server"] as const;

/** A program, and the environment that it needs. */
export interface RedisProgram {
  readonly program: string;
  readonly env: Record<string, string>;
}

/**
 * Finds a Redis: on PATH; among what an earlier start has fetched; in the packages of Debian or
 * Ubuntu, which are unpacked into a folder of ours and never installed.
 *
 * @param fallbackFolder for the packages, where the clone itself cannot be written
 * @throws {StartError} that says what to install.
 */
export async function findRedis(
  fallbackFolder: string,
  signal: AbortSignal,
  report: (line: string) => void,
): Promise<RedisProgram> {
  const installed = onPath(names);
  if (installed) return { program: installed, env: environment() };
  const folders = [join(import.meta.dirname, "../node_modules/.cache/redis"), fallbackFolder];
  for (const folder of folders) {
    const fetched = await unpacked(folder);
    if (fetched) return fetched;
  }
  if (!onPath(["apt-get"]) || !onPath(["dpkg"])) throw missing("it is not on PATH");
  report("fetching Redis from the packages of this system (first time only)…");
  const folder = folders.find(isOurs) ?? fallbackFolder;
  rmSync(folder, { recursive: true, force: true }); // it does not run here any more
  try {
    await fetchPackages(names, folder, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw missing((error as Error).message);
  }
  const fetched = await unpacked(folder);
  if (!fetched) throw missing(`what was fetched to ${folder} does not run here`);
  return fetched;
}

function missing(why: string): StartError {
  return new StartError(
    [
      `Redis is needed, and there is none: ${why}`,
      "Install Redis or Valkey, for example",
      "  brew install valkey         (macOS)",
      "  sudo apt install redis      (Debian, Ubuntu)",
      "  sudo dnf install valkey     (Fedora)",
      "or set REDIS_URL to one that runs already.",
    ].join("\n"),
  );
}

function onPath(programs: readonly string[]): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const candidates = programs.flatMap((name) => folders.map((folder) => join(folder, name)));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What packages were unpacked to a folder, if it runs: a library may have left the system since. */
async function unpacked(folder: string): Promise<RedisProgram | undefined> {
  const program = names
    .map((name) => join(folder, "usr/bin", name))
    .find((file) => existsSync(file));
  if (program === undefined) return undefined;
  const libraries = ["usr/lib", "lib"]
    .map((path) => join(folder, path))
    .filter((path) => existsSync(path))
    .flatMap((path) => [path, ...readdirSync(path).map((name) => join(path, name))])
    .filter((path) => /-linux-gnu\w*$|lib$/.test(path));
  const env = { ...environment(), LD_LIBRARY_PATH: libraries.join(":") };
  try {
    await run(program, ["--version"], { env, timeout: 10_000 });
    return { program, env };
  } catch {
    return undefined;
  }
}

function environment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
