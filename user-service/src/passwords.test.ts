import assert from "node:assert/strict";
import { before, test } from "node:test";
import argon2 from "argon2";
import bcrypt from "bcrypt";
import { createHashingPool } from "./hashing-pool.ts";
import { createHashingProcess } from "./hashing-process.ts";
import { createPasswords, type Passwords } from "./passwords.ts";

const quick = { memoryCost: 64, timeCost: 2, parallelism: 1 } as const;
let passwords: Passwords;
before(async () => {
  passwords = await createPasswords(
    createHashingPool(2, 10, 60_000),
    createHashingProcess(),
    quick,
  );
});

test("a password has its hash, and no other one has", async () => {
  const hash = await passwords.hash("a long enough passphrase");
  assert.match(hash, /^\$argon2id\$v=19\$m=64,/);
  assert.equal(await passwords.verify("a long enough passphrase", hash), true);
  assert.equal(await passwords.verify("A long enough passphrase", hash), false);
});

test("without a hash no password is right", async () => {
  assert.equal(await passwords.verify("nobody has this password", undefined), false);
});

test("letters count as the same however the keyboard composes them", async () => {
  const hash = await passwords.hash("caf\u00e9 au lait, s'il vous pla\u00eet");
  assert.equal(await passwords.verify("cafe\u0301 au lait, s'il vous plai\u0302t", hash), true);
});

test("a bcrypt hash from elsewhere is checked, and known to be worth replacing", async () => {
  const hash = await bcrypt.hash("secret", 4);
  assert.equal(await passwords.verify("secret", hash), true);
  assert.equal(await passwords.verify("Secret", hash), false);
  assert.equal(await passwords.verify("secret\0and more", hash), false);
  assert.equal(passwords.needsRehash(hash), true);
});

test("a hash with other parameters is checked, and known to be worth replacing", async () => {
  const older = await argon2.hash("secret", { ...quick, memoryCost: 128 });
  assert.equal(await passwords.verify("secret", older), true);
  assert.equal(passwords.needsRehash(older), true);
  assert.equal(passwords.needsRehash(await passwords.hash("secret")), false);
});
