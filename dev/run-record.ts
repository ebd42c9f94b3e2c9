import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { endLeftovers, type Leftover, type Role } from "./leftovers.ts";
import { readPlatformFile, removePlatformFile } from "./platform-file.ts";
import { readPrivateJson, writePrivateJson } from "./private-json.ts";
import { identify, isAlive, type ProcessIdentity } from "./process-identity.ts";
import { StartError } from "./start-error.ts";

/** `run.json`: who runs the platform of this folder, and what it has started. */
interface Run {
  readonly launcher: ProcessIdentity;
  readonly processes: readonly Leftover[];
}

export interface RunRecord {
  /** Notes what runs now, for whoever comes after us should we be killed. */
  update(processes: readonly { name: string; role: Role; pid: number }[]): void;
  /** Gives the folder free. */
  release(): void;
}

/**
 * Takes a platform's folder for this process. What an earlier launcher left running, because it was
 * killed, is ended first.
 *
 * @throws {StartError} when a platform runs there, or the folder is not ours to write.
 */
export async function claimPlatformDir(
  platformDir: string,
  report: (line: string) => void,
): Promise<RunRecord> {
  const file = join(platformDir, "run.json");
  const launcher = identify(process.pid);
  if (launcher === undefined) throw new Error("this process cannot be identified");
  const mine = `${file}.${randomUUID()}`;
  try {
    mkdirSync(platformDir, { recursive: true });
    writePrivateJson(mine, { launcher, processes: [] } satisfies Run);
    let cleared = false;
    for (; !link(mine, file); cleared = true) await clearStale(file, platformDir, report);
    if (cleared) await sleep(50); // another that found the same stale record may just have removed ours
    if (!isSameFile(mine, file)) throw alreadyRunning(platformDir);
  } catch (error) {
    throw readable(error as NodeJS.ErrnoException, platformDir);
  } finally {
    rmSync(mine, { force: true });
  }
  removePlatformFile(platformDir);
  return {
    update(processes) {
      const recorded = processes.flatMap(({ name, role, pid }) => {
        const identity = identify(pid);
        return identity ? [{ name, role, ...identity }] : [];
      });
      writePrivateJson(file, { launcher, processes: recorded } satisfies Run);
    },
    release: () => rmSync(file, { force: true }),
  };
}

function link(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

function isSameFile(a: string, b: string): boolean {
  return statSync(a).ino === statSync(b, { throwIfNoEntry: false })?.ino;
}

async function clearStale(
  file: string,
  platformDir: string,
  report: (line: string) => void,
): Promise<void> {
  const run = readPrivateJson<Run>(file);
  if (run === undefined) return; // released this moment
  if (isAlive(run.launcher)) throw alreadyRunning(platformDir);
  const left = run.processes.filter(isAlive);
  if (left.length > 0) {
    report(`ending what a killed start left: ${left.map(({ name }) => name).join(", ")}`);
    await endLeftovers(left);
  }
  rmSync(file, { force: true });
}

function alreadyRunning(platformDir: string): StartError {
  const url = readPlatformFile(platformDir)?.gateway.url;
  const state = url ? `is already running at ${url}` : "is already starting or stopping";
  return new StartError(
    `the platform of ${platformDir} ${state}\n` +
      "Stop it, or start another beside it with PLATFORM_DIR and other ports.",
  );
}

function readable(error: NodeJS.ErrnoException, platformDir: string): Error {
  if (!["EACCES", "EPERM", "EROFS"].includes(error.code ?? "")) return error;
  return new StartError(
    `${platformDir} cannot be written (${error.code}): was it made by another user?\n` +
      "Set PLATFORM_DIR to a folder of your own.",
  );
}
