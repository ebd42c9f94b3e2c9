import type { IncomingMessage } from "node:http";
import type { BodyPlaces } from "./body-places.ts";
import { freeMemory } from "./free-memory.ts";
import { maxBodyBytes, maxSmallBodyBytes } from "./limits.ts";
import { clientLeft, tooLarge } from "./refusal.ts";

/** What may be read. */
export interface BodyBounds {
  readonly maxBytes: number;
  /** For what is larger than a small body. */
  readonly places: BodyPlaces;
}

/**
 * Reads a whole request body. One that is larger than a small one waits for a place.
 *
 * @throws ConnectError with REASON_PAYLOAD_TOO_LARGE as soon as it is known to be beyond `maxBytes`: what
 * becomes of the rest is for `unreadBody` to say.
 * @throws ConnectError `canceled` when the client leaves in between.
 */
export async function readBody(
  request: IncomingMessage,
  { maxBytes, places }: BodyBounds,
): Promise<Buffer> {
  if (isTooLarge(request, maxBytes)) throw tooLarge(maxBytes);
  if (request.destroyed) throw clientLeft();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const pieces: Buffer[] = [];
  let bytes = 0;
  let leavePlace: (() => void) | undefined;
  const keep = (piece: Buffer) => {
    bytes += piece.length;
    pieces.push(piece);
    if (bytes > maxBytes) reject(tooLarge(maxBytes));
    else if (bytes > maxSmallBodyBytes && leavePlace === undefined) {
      request.pause();
      leavePlace = places.take(() => request.resume());
    }
  };
  const leave = () => reject(clientLeft());
  // We have ended the connection, such as after too long a wait: nobody can be answered any more.
  request.socket.once("finish", leave);
  request.on("data", keep).once("end", resolve).once("error", leave).once("close", leave);
  try {
    await promise;
    return Buffer.concat(pieces, bytes);
  } finally {
    request.socket.off("finish", leave);
    request.off("data", keep).off("end", resolve).off("close", leave).pause();
    for (const piece of pieces) freeMemory(piece);
    leavePlace?.();
  }
}

/** Whether a body is known to be too large before it comes. */
export function isTooLarge({ headers }: IncomingMessage, maxBytes = maxBodyBytes): boolean {
  return Number(headers["content-length"]) > maxBytes;
}
