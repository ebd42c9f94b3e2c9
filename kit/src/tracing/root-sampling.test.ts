import assert from "node:assert/strict";
import { test } from "node:test";
import { createRootSampling } from "./root-sampling.ts";

test("of few requests all begin a trace, of many ten a second", () => {
  let nowMs = 0;
  const begins = createRootSampling(() => nowMs);
  for (let second = 0; second < 10; second++) {
    nowMs += 1000;
    assert.ok(begins());
  }
  nowMs += 60_000;
  let begun = 0;
  for (let request = 0; request < 10_000; request++) {
    nowMs += 1;
    if (begins()) begun++;
  }
  assert.ok(begun >= 109 && begun <= 110, `${begun}: ten at once, then ten a second for 10 s`);
});
