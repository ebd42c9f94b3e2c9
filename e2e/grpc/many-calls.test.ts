import assert from "node:assert/strict";
import { startHop, testAllPairs } from "./hop.ts";

testAllPairs(
  "10,000 calls at once, 2,000 through stock, all get their own answer",
  async (pair) => {
    await using hop = await startHop(pair, { echo: async ({ text }) => ({ text: `${text}!` }) });
    const ours = pair.client === "own" && pair.server === "own";
    const texts = Array.from({ length: ours ? 10_000 : 2_000 }, (_, index) => String(index));
    const answers = await Promise.all(
      texts.map(async (text) => (await hop.client.echo({ text })).text),
    );
    assert.deepEqual(
      answers,
      texts.map((text) => `${text}!`),
    );
  },
);
