import assert from "node:assert/strict";
import { test } from "node:test";
import { hasHash, hashPassword, isBcrypt, isOutdated } from "./password-hash.ts";

const quick = { memoryCost: 64, timeCost: 2, parallelism: 1 };

/** Of the reference implementation, with costs in two orders, and one that has two lanes. */
const foreign = [
  [
    "a long enough passphrase",
    "$argon2id$v=19$m=64,p=1,t=2$MDEyMzQ1Njc4OWFiY2RlZg$6DDr+alcU7xV3A7PPaOcUPAB2+v/l01+b7eS2NT7Zj0",
  ],
  [
    "a long enough passphrase",
    "$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6DDr+alcU7xV3A7PPaOcUPAB2+v/l01+b7eS2NT7Zj0",
  ],
  [
    "caf\u00e9",
    "$argon2id$v=19$m=128,p=2,t=3$MDEyMzQ1Njc4OWFiY2RlZg$OJuudXpIh2WbFprROz+eDFUux83q//Vj5ZVvgG9E6+g",
  ],
] as const;

test("hashes of the reference implementation are read", () => {
  for (const [password, hash] of foreign) {
    assert.equal(hasHash(password, hash), true);
    assert.equal(hasHash(`${password}!`, hash), false);
  }
});

test("the same password never has the same hash twice", () => {
  const hashes = [hashPassword("the same", quick), hashPassword("the same", quick)];
  assert.notEqual(...(hashes as [string, string]));
  for (const hash of hashes) {
    assert.match(hash, /^\$argon2id\$v=19\$m=64,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
    assert.equal(hasHash("the same", hash), true);
  }
});

test("a hash is outdated by any other cost, and by any other algorithm", () => {
  const hash = hashPassword("some password", quick);
  assert.equal(isOutdated(hash, quick), false);
  for (const cost of ["memoryCost", "timeCost", "parallelism"] as const)
    assert.equal(isOutdated(hash, { ...quick, [cost]: quick[cost] + 1 }), true);
  assert.equal(isOutdated(hash.replace("argon2id", "argon2i"), quick), true);
  assert.equal(isOutdated("$2b$04$abcdefghijklmnopqrstuv", quick), true);
});

test("what is no hash that is known is nobody's, and the error does not show it", () => {
  for (const unknown of ["none", "$argon2id$v=19$m=64,t=2$c2FsdA$aGFzaA", "$argon2i$v=19$m=64"])
    assert.throws(
      () => hasHash("some password", unknown),
      (error: Error) => !error.message.includes(unknown),
    );
  assert.equal(isBcrypt("$2b$04$abcdefghijklmnopqrstuv"), true);
  assert.equal(isBcrypt("$argon2id$2b$"), false);
});
