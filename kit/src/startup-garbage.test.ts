import assert from "node:assert/strict";
import { test } from "node:test";
import { collectStartupGarbage } from "./startup-garbage.ts";

test("what nobody holds any more is gone afterwards", async () => {
  const holder = { garbage: Array.from({ length: 100_000 }, (_, index) => ({ index })) };
  const gone = new WeakRef(holder.garbage);
  holder.garbage = [];
  // A weak reference holds on until the end of the job that made it.
  await new Promise(setImmediate);
  await collectStartupGarbage();
  assert.equal(gone.deref(), undefined);
});
