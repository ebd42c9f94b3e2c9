// What `npm run check` does: all that `npm test` checks before it runs tests, in half a minute.
// `npm run check -- migrations` makes just the checks that have this word in their name.

import { checks, runChecks } from "./checks.ts";

const [word = ""] = process.argv.slice(2);
const chosen = checks.filter(([name]) => name.includes(word));
if (chosen.length === 0)
  process.stderr.write(`no check has "${word}" in its name:\n${namesOf(checks)}\n`);
const failed = await runChecks(chosen, (text) => process.stdout.write(`${text}\n`));
process.exitCode = failed > 0 || chosen.length === 0 ? 1 : 0;

function namesOf(some: typeof checks): string {
  return some.map(([name]) => `  ${name}`).join("\n");
}
