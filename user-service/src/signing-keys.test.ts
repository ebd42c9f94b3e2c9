import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { createLogger } from "@3l1/kit/logger.ts";
import { type Database, openDatabase } from "@3l1/kit/stores/database.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { createTestDatabase, type TestDatabase } from "@3l1/kit/stores/test-database.ts";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createSeal } from "./key-seal.ts";
import { publishKeyAheadMs } from "./limits.ts";
import { createSigningKeyStore, type SigningKeyStore } from "./signing-key-store.ts";
import { openKeyring, rotateSigningKeys } from "./signing-keys.ts";

const logger = createLogger("test", "silent");
const [secret, olderSecret] = [randomBytes(32), randomBytes(32)];
const seal = createSeal([secret, olderSecret]);
const dayMs = 24 * 3_600_000;
const keepMs = 30 * dayMs;
let testDatabase: TestDatabase;
let database: Database;
let store: SigningKeyStore;
before(async () => {
  testDatabase = await createTestDatabase("users", process.env.TEST_DATABASE_URL);
  await migrateDatabase(testDatabase.url, new URL("../migrations", import.meta.url).pathname);
  database = openDatabase(testDatabase.url, "test");
  store = createSigningKeyStore(database.db);
});
after(async () => {
  await database?.close();
  await testDatabase?.drop();
});

/** Starts with no key, and with a clock that the test turns. */
async function setUp() {
  await database.db.execute("delete from signing_keys");
  let time = Date.UTC(2030, 0, 1);
  const now = () => time;
  const wait = (ms: number) => {
    time += ms;
  };
  const open = (sealing = seal) => openKeyring({ store, seal: sealing, logger, now });
  const rotate = () => rotateSigningKeys({ store, seal, now }, keepMs);
  return { now, wait, open, rotate };
}

const idsOf = (keys: readonly { id: string }[]) => keys.map(({ id }) => id).sort();

test("copies that start at once share one key", async () => {
  const { open } = await setUp();
  const keyrings = await Promise.all(Array.from({ length: 5 }, () => open()));
  assert.equal(new Set(keyrings.map((keyring) => keyring.signer().id)).size, 1);
  assert.equal(keyrings[0]?.publicKeys()[0]?.notBefore, undefined);
});

test("a new key is published before it signs, and the old one after it has stopped", async () => {
  const { open, rotate, wait } = await setUp();
  const keyring = await open();
  const old = keyring.signer().id;
  const { keyId, made } = await rotate();
  assert.equal(made, true);
  await keyring.reload();
  assert.deepEqual(idsOf(keyring.publicKeys()), [old, keyId].sort());
  wait(publishKeyAheadMs - 1);
  assert.equal(keyring.signer().id, old);
  wait(1);
  assert.equal(keyring.signer().id, keyId);
  assert.deepEqual(idsOf(keyring.publicKeys()), [old, keyId].sort());
});

test("rotating twice makes one key, also at the same time", async () => {
  const { open, rotate } = await setUp();
  await open();
  const rotations = await Promise.all([rotate(), rotate(), rotate()]);
  assert.equal(rotations.filter(({ made }) => made).length, 1);
  assert.equal(new Set(rotations.map(({ keyId }) => keyId)).size, 1);
  assert.equal((await rotate()).made, false);
});

test("a key that has stopped signing loses its private half, and goes when nobody can need it", async () => {
  const { open, rotate, wait } = await setUp();
  const keyring = await open();
  const first = keyring.signer().id;
  const privateHalf = async (id: string) =>
    (await store.all()).find((key) => key.id === id)?.sealedPrivateKey;
  await rotate();
  assert.ok(await privateHalf(first));
  wait(dayMs);
  await rotate();
  assert.equal(await privateHalf(first), null);
  wait(keepMs - dayMs);
  await rotate();
  await keyring.reload();
  assert.ok(idsOf(keyring.publicKeys()).includes(first));
  wait(dayMs);
  await rotate();
  await keyring.reload();
  assert.ok(!idsOf(keyring.publicKeys()).includes(first));
});

test("the private half is sealed in the database, and sealed anew when the secret has changed", async () => {
  const { open } = await setUp();
  const sealedWith = async (key: Buffer) => {
    const [row] = await store.all();
    return createSeal([key]).open(row?.sealedPrivateKey ?? Buffer.alloc(0), row?.id ?? "");
  };
  const before = await open(createSeal([olderSecret]));
  assert.ok(await sealedWith(olderSecret));
  const keyring = await open();
  assert.equal(keyring.signer().id, before.signer().id);
  assert.equal(await sealedWith(olderSecret), undefined);
  assert.ok(await sealedWith(secret));
});

test("with the secret lost, the start says so", async () => {
  const { open } = await setUp();
  await open();
  await assert.rejects(open(createSeal([randomBytes(32)])), /SECRET_KEYS opens none/);
});

test("nothing is rotated with another secret than the platform's", async () => {
  const { open, now } = await setUp();
  const keyring = await open();
  const another = createSeal([randomBytes(32)]);
  await assert.rejects(rotateSigningKeys({ store, seal: another, now }, keepMs), /SECRET_KEYS/);
  await keyring.reload();
  assert.equal(keyring.publicKeys().length, 1);
});

test("a key says from when on its signatures count", async () => {
  const { open, rotate } = await setUp();
  const keyring = await open();
  const { keyId, signsFrom } = await rotate();
  await keyring.reload();
  const key = keyring.publicKeys().find(({ id }) => id === keyId);
  assert.equal(key?.notBefore && timestampMs(key.notBefore), signsFrom.getTime());
});
