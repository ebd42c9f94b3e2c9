import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { v7 as uuidv7 } from "uuid";
import { createSessionKeys } from "./session-key.ts";

const [newSecret, oldSecret, othersSecret] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const keys = createSessionKeys([newSecret, oldSecret]);
const claim = { userId: uuidv7(), sessionId: uuidv7(), generation: 4_000_000_000 };

test("a session key says whose session it opens, and at which generation", () => {
  assert.deepEqual(keys.decode(keys.encode(claim)), claim);
});

test("the same claim always gives the same key, so a lost successor can be computed again", () => {
  assert.equal(keys.encode(claim), keys.encode({ ...claim }));
  assert.notEqual(keys.encode(claim), keys.encode({ ...claim, generation: 1 }));
});

test("a key made with a retired secret still opens its session; with a stranger's it does not", () => {
  assert.deepEqual(keys.decode(createSessionKeys([oldSecret]).encode(claim)), claim);
  assert.equal(keys.decode(createSessionKeys([othersSecret]).encode(claim)), undefined);
});

test("a key with any bit changed is refused", () => {
  const good = Buffer.from(keys.encode(claim), "base64url");
  for (let bit = 0; bit < good.length * 8; bit++) {
    const changed = Buffer.from(good);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(keys.decode(changed.toString("base64url")), undefined, `bit ${bit}`);
  }
});

test("whatever else comes is refused, and no key has two spellings", () => {
  const good = keys.encode(claim);
  for (const text of [
    "",
    "x",
    good.slice(1),
    `${good}A`,
    `${good}=`,
    ` ${good}`,
    good.toLowerCase(),
  ])
    assert.equal(keys.decode(text), undefined, text);
  const last = good.at(-1) ?? "";
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  for (const other of alphabet.replace(last, ""))
    assert.equal(keys.decode(good.slice(0, -1) + other), undefined, other);
});
