import type { Readable } from "node:stream";
import { maxBodyBytes, maxDiscardedBytes } from "./limits.ts";
import { clientLeft, tooLarge } from "./refusal.ts";

/**
 * Reads a whole request body.
 *
 * @throws ConnectError with REASON_PAYLOAD_TOO_LARGE beyond `maxBytes`. The rest is read
 * and thrown away first, within reason: a client that writes while we close sees a reset instead
 * of the answer.
 * @throws ConnectError `canceled` when the client leaves in between.
 */
export async function readBody(stream: Readable, maxBytes = maxBodyBytes): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of stream) {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else chunks.length = 0;
      if (bytes > maxDiscardedBytes) break;
    }
  } catch {
    throw clientLeft();
  }
  if (bytes > maxBytes) throw tooLarge(maxBytes);
  return Buffer.concat(chunks, bytes);
}
