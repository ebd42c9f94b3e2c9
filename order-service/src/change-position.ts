/** A place among the changes of orders: after one of them, and before all that come later. */
export interface Position {
  /** The transaction of the change. */
  readonly tx: bigint;
  /** Tells changes of a transaction apart. */
  readonly id: bigint;
}

/** Before every change. */
export const beginning: Position = { tx: 0n, id: 0n };

const maxTx = 2n ** 64n - 1n;
const maxId = 2n ** 63n - 1n;

/** The position as clients know it. */
export function formatPosition({ tx, id }: Position): string {
  return `${tx}-${id}`;
}

/** `undefined` for what {@link formatPosition} did not make. */
export function parsePosition(text: string): Position | undefined {
  const [, first, second] = /^(0|[1-9]\d{0,19})-(0|[1-9]\d{0,18})$/.exec(text) ?? [];
  if (first === undefined || second === undefined) return undefined;
  const position = { tx: BigInt(first), id: BigInt(second) };
  return position.tx <= maxTx && position.id <= maxId ? position : undefined;
}

/** Whether one position comes after another. */
export function isAfter(one: Position, other: Position): boolean {
  return one.tx === other.tx ? one.id > other.id : one.tx > other.tx;
}

export function laterOf(one: Position, other: Position): Position {
  return isAfter(one, other) ? one : other;
}
