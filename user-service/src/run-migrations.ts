// Brings the database to the newest schema and ends: `node src/run-migrations.js` in the image, before a
// rollout. The service does the same when it starts.

import { join } from "node:path";
import { loadConfig } from "@3l1/kit/config.ts";
import { briefError } from "@3l1/kit/logged-error.ts";
import { migrateDatabase } from "@3l1/kit/stores/migrate.ts";
import { settings } from "./config.ts";

const { USER_DATABASE_URL, USER_DATABASE_DIRECT_URL } = settings;

try {
  const config = loadConfig({ USER_DATABASE_URL, USER_DATABASE_DIRECT_URL }, process.env);
  const url = config.USER_DATABASE_DIRECT_URL ?? config.USER_DATABASE_URL;
  await migrateDatabase(url, join(import.meta.dirname, "..", "migrations"));
  process.stdout.write("the database has the newest schema\n");
} catch (error) {
  process.stderr.write(`the database was not migrated: ${briefError(error).message}\n`);
  process.exitCode = 1;
}
