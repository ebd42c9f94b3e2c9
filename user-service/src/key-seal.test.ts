import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { createSeal } from "./key-seal.ts";

const [newKey, oldKey] = [randomBytes(32), randomBytes(32)];
const secret = Buffer.from("a private key");

test("what was sealed opens again, under its own name alone", () => {
  const seal = createSeal([newKey]);
  const sealed = seal.seal(secret, "a");
  assert.deepEqual(seal.open(sealed, "a"), { secret, stale: false });
  assert.equal(seal.open(sealed, "b"), undefined);
});

test("what a retired key sealed opens, and is known to be stale", () => {
  const sealed = createSeal([oldKey]).seal(secret, "a");
  assert.deepEqual(createSeal([newKey, oldKey]).open(sealed, "a"), { secret, stale: true });
  assert.equal(createSeal([newKey]).open(sealed, "a"), undefined);
});

test("what was changed or cut does not open", () => {
  const seal = createSeal([newKey]);
  const sealed = seal.seal(secret, "a");
  for (let at = 0; at < sealed.length; at++) {
    const changed = Buffer.from(sealed);
    changed[at] = (changed[at] ?? 0) ^ 1;
    assert.equal(seal.open(changed, "a"), undefined);
    assert.equal(seal.open(sealed.subarray(0, at), "a"), undefined);
  }
});
