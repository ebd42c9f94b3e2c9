import assert from "node:assert/strict";
import { test } from "node:test";
import { isBcrypt, isOutdated } from "./password-hash.ts";

const parameters = { memoryCost: 64, timeCost: 2, parallelism: 1 };
const hash =
  "$argon2id$v=19$m=64,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$6DDr+alcU7xV3A7PPaOcUPAB2+v/l01+b7eS2NT7Zj0";

test("a hash is outdated by any other cost, and by any other algorithm", () => {
  assert.equal(isOutdated(hash, parameters), false);
  for (const cost of ["memoryCost", "timeCost", "parallelism"] as const)
    assert.equal(isOutdated(hash, { ...parameters, [cost]: parameters[cost] + 1 }), true);
  assert.equal(isOutdated("$2b$04$abcdefghijklmnopqrstuv", parameters), true);
});

test("a hash of bcrypt is known by its beginning", () => {
  assert.equal(isBcrypt("$2b$04$abcdefghijklmnopqrstuv"), true);
  assert.equal(isBcrypt("$argon2id$2b$"), false);
});
