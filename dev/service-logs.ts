import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { followLog } from "./follow-log.ts";
import { isLoud, readableLine, timeOf } from "./log-line.ts";
import type { Terminal } from "./terminal.ts";

/** A log that grows larger begins anew. */
const maxLogBytes = 64 * 1024 * 1024;
/** Whoever reads our output and falls behind further misses lines: the files have them. */
const maxUnreadBytes = 16 * 1024 * 1024;

/** Where a service's log is. */
export function logFileOf(platformDir: string, service: string): string {
  return join(platformDir, `${service}.log`);
}

/**
 * What the launcher shows of the services' logs. A person at a terminal gets warnings and errors, made
 * readable; a file or a pipe gets them too, and once the platform is ready everything, as it was written.
 */
export interface ServiceLogs {
  /** Empties a log, and shows what will come. */
  show(file: string): void;
  /** The start is over. What has been logged as a matter of course is not shown later either. */
  ready(): void;
  /** Shows what is still there, and ends. */
  close(): void;
}

export function showServiceLogs(terminal: Terminal, stream: NodeJS.WriteStream): ServiceLogs {
  const followed: { close(): void }[] = [];
  let readyAt: string | undefined;

  function isShown(line: string): boolean {
    if (isLoud(line)) return line !== "";
    return !stream.isTTY && readyAt !== undefined && (timeOf(line) ?? "") > readyAt;
  }
  function show(lines: readonly string[]): void {
    const shown = lines.filter(isShown);
    if (shown.length === 0 || stream.writableLength > maxUnreadBytes) return;
    const readable = (line: string) => readableLine(line, terminal.paint);
    terminal.print((stream.isTTY ? shown.map(readable) : shown).join("\n"));
  }

  return {
    show(file) {
      writeFileSync(file, "", { mode: 0o600 });
      followed.push(followLog(file, show, { maxBytes: maxLogBytes }));
    },
    ready() {
      readyAt = new Date().toISOString();
    },
    close() {
      for (const log of followed.splice(0)) log.close();
    },
  };
}
