import type { Socket } from "node:net";
import { freeMemory } from "./free-memory.ts";
import * as limits from "./limits.ts";

/** How long, and for how much, an answered client is listened to. */
export interface LingerBounds {
  readonly lingerMs: number;
  readonly lingerIdleMs: number;
  readonly maxDiscardedBytes: number;
}

/**
 * Ends a connection on which the client may still write. To close it with something unread would reset it,
 * and a client that writes first and reads then would find no answer. So what was written goes out, the end
 * behind it, and what still comes is thrown away without a look, within bounds (RFC 9112, section 9.6).
 */
export function lingeringClose(
  socket: Socket,
  { lingerMs, lingerIdleMs, maxDiscardedBytes }: LingerBounds = limits,
): void {
  const destroy = () => void socket.destroy();
  const silence = setTimeout(destroy, lingerIdleMs);
  const end = setTimeout(destroy, lingerMs);
  let discarded = 0;
  // Node's parser listens no more: a request behind the one answered must not run.
  socket.removeAllListeners("data").on("data", (piece: Buffer) => {
    discarded += piece.length;
    freeMemory(piece);
    silence.refresh();
    if (discarded > maxDiscardedBytes) socket.destroy();
  });
  socket.once("close", () => {
    clearTimeout(silence);
    clearTimeout(end);
  });
  // Called by Node when an answer is the last one of its connection.
  socket.destroySoon = () => {};
  socket.end();
  socket.resume();
}
