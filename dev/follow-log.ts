import { closeSync, fstatSync, ftruncateSync, openSync, readSync, watch } from "node:fs";

const chunkBytes = 64 * 1024;
/** A line that is longer is told in pieces. */
const maxLineBytes = 1024 * 1024;

export interface FollowOptions {
  /** How much of what is there already is told, from the next whole line on. Default: all. */
  readonly lastBytes?: number;
  /** A file that grows beyond this begins anew. Default: it is left alone. */
  readonly maxBytes?: number;
}

/**
 * Tells of the lines of a file: of those that are there before it returns, then of others as they come.
 *
 * @throws when there is no such file
 */
export function followLog(
  file: string,
  tell: (lines: readonly string[]) => void,
  { lastBytes, maxBytes }: FollowOptions = {},
): { close(): void } {
  const fd = openSync(file, maxBytes === undefined ? "r" : "r+");
  const chunk = Buffer.alloc(chunkBytes);
  // One byte more: when it ends a line, the next line is whole.
  let offset = Math.max(0, fstatSync(fd).size - (lastBytes ?? Number.POSITIVE_INFINITY) - 1);
  let isCut = offset > 0;
  let rest = Buffer.alloc(0);

  function read(): void {
    if (fstatSync(fd).size < offset) offset = 0; // it was emptied
    for (;;) {
      const bytes = readSync(fd, chunk, 0, chunkBytes, offset);
      if (bytes === 0) break;
      offset += bytes;
      split(Buffer.concat([rest, chunk.subarray(0, bytes)]));
    }
    if (maxBytes === undefined || offset <= maxBytes) return;
    ftruncateSync(fd);
    offset = 0;
  }

  function split(bytes: Buffer<ArrayBuffer>): void {
    const end = bytes.length > maxLineBytes ? bytes.length : bytes.lastIndexOf("\n") + 1;
    rest = bytes.subarray(end);
    if (end === 0) return;
    const lines = bytes.toString("utf8", 0, end).replace(/\n$/, "").split("\n");
    tell(isCut ? lines.slice(1) : lines);
    isCut = false;
  }

  const watcher = watch(file, read);
  read();
  return {
    close() {
      watcher.close();
      read();
      closeSync(fd);
    },
  };
}
