/**
 * Gives the memory of a piece that was read back at once; the piece is empty then.
 *
 * What the network brings lies beside the JavaScript heap, 64 KiB a piece, and V8 looks after it only when some
 * 64 MiB of it have come since it last did (kExternalAllocationSoftLimit); no option moves that. Whoever
 * sends much would have that much memory for nothing.
 */
export function freeMemory(piece: Buffer): void {
  const { buffer, byteLength } = piece;
  // Others may live in the same memory: Node cuts small pieces off a common one.
  const isAlone = byteLength > 0 && buffer.byteLength === byteLength;
  if (isAlone && buffer instanceof ArrayBuffer) buffer.transfer(0);
}
