// `npm run migration -- user-service` writes the SQL for what has changed in src/schema.ts.

import { join } from "node:path";
import { generateMigration, services } from "./checks.ts";
import { root } from "./run.ts";

const [service = ""] = process.argv.slice(2);
if (services.includes(service))
  process.stdout.write(await generateMigration(service, join(root, service, "migrations")));
else {
  process.stderr.write(`usage: npm run migration -- ${services.join("|")}\n`);
  process.exitCode = 2;
}
