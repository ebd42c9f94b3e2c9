import assert from "node:assert/strict";
import { test } from "node:test";
import { afterSilence } from "./silence.ts";

/** Stalls each turn of the event loop for longer than the wait, and counts the turns. */
async function stalledTurns(waitMs: number, untilTurn: (turn: number) => boolean): Promise<number> {
  let turns = 0;
  do {
    const endMs = performance.now() + waitMs;
    while (performance.now() < endMs);
    await new Promise(setImmediate);
  } while (!untilTurn(++turns));
  return turns;
}

test("a stalled process gives its peer ten turns of the event loop to be heard", async () => {
  let givenUp = false;
  afterSilence(10, () => {
    givenUp = true;
  });
  assert.ok((await stalledTurns(20, () => givenUp)) >= 10);
});

test("a wait that has been ended gives nothing up, however late it is", async () => {
  let givenUp = false;
  const end = afterSilence(10, () => {
    givenUp = true;
  });
  await stalledTurns(20, (turn) => turn === 9);
  end();
  await stalledTurns(20, (turn) => turn === 5);
  assert.equal(givenUp, false);
});
