// Makes a new key to sign access tokens with: `npm run keys -- rotate`. Safe to run twice.

import { deriveKeys } from "@3l1/kit/auth/secrets.ts";
import { loadConfig } from "@3l1/kit/config.ts";
import { briefError } from "@3l1/kit/logged-error.ts";
import { openDatabase } from "@3l1/kit/stores/database.ts";
import { settings } from "./config.ts";
import { createSeal } from "./key-seal.ts";
import { retiredKeyMarginMs } from "./limits.ts";
import { createSigningKeyStore } from "./signing-key-store.ts";
import { rotateSigningKeys } from "./signing-keys.ts";

const { USER_DATABASE_URL, SECRET_KEYS, SESSION_ABSOLUTE_SECONDS } = settings;

try {
  const config = loadConfig(
    { USER_DATABASE_URL, SECRET_KEYS, SESSION_ABSOLUTE_SECONDS },
    process.env,
  );
  const database = openDatabase(config.USER_DATABASE_URL, "rotate-keys");
  try {
    const store = createSigningKeyStore(database.db);
    const seal = createSeal(deriveKeys(config.SECRET_KEYS, "signing-key-seal"));
    const keepMs = config.SESSION_ABSOLUTE_SECONDS * 1000 + retiredKeyMarginMs;
    const rotation = await rotateSigningKeys({ store, seal, now: Date.now }, keepMs);
    const what = rotation.made ? "is published now and" : "was published before and";
    const from = rotation.signsFrom.toISOString();
    process.stdout.write(`key ${rotation.keyId} ${what} signs from ${from}\n`);
  } finally {
    await database.close();
  }
} catch (error) {
  const { message } = briefError(error);
  const cause = error instanceof Error && error.cause ? `: ${briefError(error.cause).message}` : "";
  process.stderr.write(`the signing keys were not rotated: ${message}${cause}\n`);
  process.exitCode = 1;
}
