import { accessSync, constants, mkdirSync, rmSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fetchPackages } from "./debian-packages.ts";
import { StartError } from "./start-error.ts";
import { findUnpacked, type Program, plainEnvironment } from "./unpacked-program.ts";

/** Valkey is Redis under its free license; either will do. */
const names = ["redis-server", "valkey-server"] as const;
const files = names.map((name) => `usr/bin/${name}`);

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
): Promise<Program> {
  const installed = onPath(names);
  if (installed) return { program: installed, env: plainEnvironment() };
  const folders = [join(import.meta.dirname, "../node_modules/.cache/redis"), fallbackFolder];
  for (const folder of folders) {
    const fetched = await findUnpacked(folder, files);
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
  const fetched = await findUnpacked(folder, files);
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

function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
