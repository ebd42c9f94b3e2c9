/** Chance that can be repeated: the same seed brings the same choices. */
export interface Chance {
  readonly seed: number;
  /** A whole number from 0 up to, and without, `end`. */
  below(end: number): number;
  /** One of them. */
  pick<T>(choices: readonly T[]): T;
}

/** @param seed default: `STORY_SEED`, else another one each time */
export function createChance(
  seed = Number(process.env.STORY_SEED || Math.floor(Math.random() * 2 ** 32)),
): Chance {
  let state = seed >>> 0;
  // mulberry32: good enough to choose whom to kill, and short.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end: number) => Math.floor(next() * end);
  return {
    seed,
    below,
    pick(choices) {
      const [first, ...others] = choices;
      if (first === undefined) throw new Error("nothing to choose from");
      return choices[below(others.length + 1)] ?? first;
    },
  };
}
