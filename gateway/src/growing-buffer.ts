import { freeMemory } from "./free-memory.ts";

const firstBytes = 4 * 1024;

/**
 * Bytes that come piece by piece, copied: a piece that is kept as it came takes some 400 bytes beside its
 * own, and it may be a single byte.
 */
export class GrowingBuffer {
  #bytes = Buffer.allocUnsafeSlow(firstBytes);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(piece: Buffer): void {
    const length = this.#length + piece.length;
    if (length > this.#bytes.length) this.#grow(length);
    piece.copy(this.#bytes, this.#length);
    this.#length = length;
  }

  /** All that has come. It is a view: nothing may be appended afterwards. */
  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Gives the memory back at once. What `bytes` gave is empty then. */
  free(): void {
    freeMemory(this.#bytes);
  }

  #grow(length: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, length));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.free();
    this.#bytes = larger;
  }
}
