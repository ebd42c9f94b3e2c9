import { execFile } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A program, and the environment that it needs. */
export interface Program {
  readonly program: string;
  readonly env: Record<string, string>;
}

/**
 * Finds a program among packages that were unpacked to a folder, if it runs: a library may have left the
 * system since.
 *
 * @param files where it may be, below the folder
 */
export async function findUnpacked(
  folder: string,
  files: readonly string[],
): Promise<Program | undefined> {
  const program = files.map((file) => join(folder, file)).find((file) => existsSync(file));
  if (program === undefined) return undefined;
  const libraries = ["usr/lib", "lib"]
    .map((path) => join(folder, path))
    .filter((path) => existsSync(path))
    .flatMap((path) => [path, ...readdirSync(path).map((name) => join(path, name))])
    .filter((path) => /-linux-gnu\w*$|lib$/.test(path));
  const env = { ...plainEnvironment(), LD_LIBRARY_PATH: libraries.join(":") };
  try {
    await run(program, ["--version"], { env, timeout: 10_000 });
    return { program, env };
  } catch {
    return undefined;
  }
}

/** What a program needs that is installed. */
export function plainEnvironment(): Record<string, string> {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}
