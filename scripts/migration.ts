// `npm run migration -- user-service` writes the SQL for what has changed in src/schema.ts.

import { join } from "node:path";
import { generateMigration } from "./checks.ts";
import { root } from "./run.ts";

const [service = ""] = process.argv.slice(2);
process.stdout.write(await generateMigration(service, join(root, service, "migrations")));
