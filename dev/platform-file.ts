import { rmSync } from "node:fs";
import { join } from "node:path";
import { readPrivateJson, writePrivateJson } from "./private-json.ts";

/** A running service, as `platform.json` shows it. */
export interface RunningService {
  readonly pid: number | null;
  readonly url: string;
  readonly adminUrl: string;
}

/** A store, as `platform.json` shows it. `pid` is null for one that we did not start. */
export interface RunningStore {
  readonly pid: number | null;
  /** With its password. For PostgreSQL: the superuser's, which may enter both services' databases. */
  readonly url: string;
}

/**
 * `platform.json`: what runs, where. It is there exactly while the platform is ready: written after
 * the last process is, replaced when one is started again, removed as soon as the platform stops.
 */
export interface PlatformFile {
  readonly gateway: RunningService;
  readonly userService: RunningService;
  readonly orderService: RunningService;
  readonly postgres: RunningStore;
  readonly redis: RunningStore;
}

export function writePlatformFile(platformDir: string, content: PlatformFile): void {
  writePrivateJson(fileIn(platformDir), content);
}

export function readPlatformFile(platformDir: string): PlatformFile | undefined {
  return readPrivateJson<PlatformFile>(fileIn(platformDir));
}

export function removePlatformFile(platformDir: string): void {
  rmSync(fileIn(platformDir), { force: true });
}

function fileIn(platformDir: string): string {
  return join(platformDir, "platform.json");
}
