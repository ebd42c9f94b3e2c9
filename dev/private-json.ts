import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { StartError } from "./start-error.ts";

/**
 * Reads a JSON file, and takes it out of other users' sight if it was not. `undefined`: no such file.
 *
 * @throws {StartError} when it is there but cannot be read.
 */
export function readPrivateJson<T>(file: string): T | undefined {
  try {
    const value = JSON.parse(readFileSync(file, "utf8")) as T;
    chmodSync(file, 0o600);
    return value;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new StartError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Writes a JSON file for its owner alone. Whoever reads meanwhile sees the old one or the new one, whole. */
export function writePrivateJson(file: string, value: unknown): void {
  const draft = `${file}.${process.pid}.tmp`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, file);
}
