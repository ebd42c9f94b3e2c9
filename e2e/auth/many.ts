import { randomInt } from "node:crypto";
import type { TestContext } from "node:test";

/** Whole numbers below a limit, the same again for the same `SEED`, which the test's report shows. */
export function createRandom(test: TestContext): (limit: number) => number {
  const seed = Number(process.env.SEED) || randomInt(1, 2 ** 31);
  test.diagnostic(`SEED=${seed}`);
  let state = seed;
  return (limit) => {
    // xorshift32 (Marsaglia 2003): enough to mix things up.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** Does something with each of many, a few at a time. */
export async function inBatches<T>(
  all: readonly T[],
  size: number,
  use: (one: T) => Promise<void>,
): Promise<void> {
  const rest = [...all];
  const work = async () => {
    for (let one = rest.shift(); one !== undefined; one = rest.shift()) await use(one);
  };
  await Promise.all(Array.from({ length: size }, work));
}
