import { pino } from "pino";

/** How long a line may wait for others to go out with. Nobody reads logs as fast as that. */
const lingerMs = 50;
/** So many characters go out at once, however fast they came. */
const batchLength = 64 * 1024;
/** More than a batch can have: what is handed over is written when we say so, and whole. */
const maxWriteBytes = 4 * batchLength;
/** A reader that falls behind further loses lines: better than to hold them all in memory. */
const maxUnreadBytes = 16 * 1024 * 1024;

/** Where a logger writes its lines. */
export interface LineWriter {
  write(line: string): void;
  /** Writes what waits, before it returns. */
  flushSync(): void;
}

/**
 * Writes lines to a file descriptor without waiting for its reader. Lines that come within 50 ms go out
 * together, since to write a line by itself costs more than to make it. What still waits when the process
 * exits is written then; a SIGKILL takes it along.
 */
export function createLineWriter(fd: number): LineWriter {
  const out = pino.destination({
    fd,
    sync: false,
    minLength: maxWriteBytes - 1,
    maxWrite: maxWriteBytes,
    maxLength: maxUnreadBytes,
  });
  let lines = "";
  let timer: NodeJS.Timeout | undefined;

  function handOver(): void {
    clearTimeout(timer);
    timer = undefined;
    if (lines !== "") out.write(lines);
    lines = "";
  }
  function flush(): void {
    handOver();
    out.flush();
  }
  function flushSync(): void {
    handOver();
    out.flushSync();
  }
  process.once("exit", flushSync);
  return {
    write(line) {
      lines += line;
      if (lines.length >= batchLength) flush();
      else timer ??= setTimeout(flush, lingerMs);
    },
    flushSync,
  };
}
