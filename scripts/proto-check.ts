// What `npm run proto:check` does: lints the schema, compares it with that of main, and generates anew.
// `npm run proto:check -- breaks` makes just the checks that have this word in their name.

import { runChecks, schemaChecks } from "./checks.ts";

const [word = ""] = process.argv.slice(2);
const chosen = schemaChecks.filter(([name]) => name.includes(word));
const failed = await runChecks(chosen, (text) => process.stdout.write(`${text}\n`));
process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0;
