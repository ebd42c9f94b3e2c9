import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

/** Flags (1 byte) and length (4 bytes, big-endian) before each message. */
const PREFIX_BYTES = 5;
const COMPRESSED_FLAG = 1;

/**
 * One message as a length-prefixed gRPC frame, never compressed.
 * See "Length-Prefixed-Message" in gRPC's PROTOCOL-HTTP2.
 * @throws ConnectError `internal` if the message cannot be written.
 */
export function encodeFrame<D extends DescMessage>(
  desc: D,
  message: MessageInitShape<D>,
): Uint8Array {
  let body: Uint8Array;
  try {
    body = toBinary(desc, create(desc, message));
  } catch (error) {
    throw new ConnectError(`serialize binary: ${textOf(error)}`, Code.Internal);
  }
  const frame = Buffer.allocUnsafe(PREFIX_BYTES + body.length);
  frame[0] = 0;
  frame.writeUInt32BE(body.length, 1);
  frame.set(body, PREFIX_BYTES);
  return frame;
}

/** Reads the one frame of a unary message from the chunks of a stream, and holds no more than it. */
export class FrameReader {
  readonly #maxBytes: number;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #length = -1;

  /** @param maxBytes largest message accepted. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Takes the next chunk.
   * @throws ConnectError `resource_exhausted` once a larger message is announced, `internal` for a
   *   compressed one, `unimplemented` when more than one message arrives.
   */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#length < 0 && this.#bytes >= PREFIX_BYTES) this.#readPrefix();
    if (this.#length >= 0 && this.#bytes > PREFIX_BYTES + this.#length) {
      const message = "protocol error: received an extra message for a unary method";
      throw new ConnectError(message, Code.Unimplemented);
    }
  }

  /**
   * The message, once all chunks are there; `undefined` if there was none. Lets go of the chunks: a stream
   * may keep its listeners, and what they hold, long after it has closed.
   * @throws ConnectError `invalid_argument` for half a frame, `internal` for a body that is no such message.
   */
  finish<D extends DescMessage>(desc: D): MessageShape<D> | undefined {
    if (this.#bytes === 0) return undefined;
    if (this.#length < 0 || this.#bytes < PREFIX_BYTES + this.#length) {
      throw new ConnectError("protocol error: incomplete envelope", Code.InvalidArgument);
    }
    try {
      return fromBinary(desc, this.#body());
    } catch (error) {
      throw new ConnectError(`parse binary: ${textOf(error)}`, Code.Internal);
    }
  }

  #readPrefix(): void {
    const prefix = this.#prefix();
    const length = prefix.readUInt32BE(1);
    if (((prefix[0] ?? 0) & COMPRESSED_FLAG) !== 0) {
      const message = "received a compressed message, but no encoding was agreed";
      throw new ConnectError(message, Code.Internal);
    }
    if (length > this.#maxBytes) {
      const message = `message size ${length} is larger than configured readMaxBytes ${this.#maxBytes}`;
      throw new ConnectError(message, Code.ResourceExhausted);
    }
    this.#length = length;
  }

  #prefix(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= PREFIX_BYTES) return first;
    return Buffer.concat(this.#chunks);
  }

  /** A copy, so that a `bytes` field that is kept does not keep the connection's read buffer. */
  #body(): Uint8Array {
    const body = new Uint8Array(this.#length);
    let skip = PREFIX_BYTES;
    let offset = 0;
    for (const chunk of this.#chunks) {
      const from = Math.min(skip, chunk.length);
      skip -= from;
      body.set(from === 0 ? chunk : chunk.subarray(from), offset);
      offset += chunk.length - from;
    }
    this.#chunks = [];
    return body;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
