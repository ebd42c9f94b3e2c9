import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { breakingBases, checkBreaking, generate, lintProtos } from "./buf.ts";
import { root, run } from "./run.ts";
import { differences, filesBelow } from "./same-files.ts";
import { operationsFile, operationsWithSettings } from "./settings-table.ts";
import { thirdPartyLicenses } from "./third-party-licenses.ts";

/** The services that have a database. */
export const services: readonly string[] = ["user-service", "order-service"];

/** A check: what it proves, and how. It throws with what to do. */
export type Check = readonly [name: string, check: () => Promise<unknown>];

/** What is checked of proto/ and of what follows from it. */
export const schemaChecks: readonly Check[] = [
  ["schema is linted and formatted", lintProtos],
  ["schema breaks no client", schemaBreaksNothing],
  ["generated code is fresh", generatedCodeIsFresh],
];

/** Everything that is checked without running the platform. */
export const checks: readonly Check[] = [
  ...schemaChecks,
  ["code is formatted and linted", () => run("biome", ["ci", "--colors=off", root])],
  ["types hold", () => run("tsc", ["--project", root])],
  ["types of the console hold", () => run("tsc", ["--project", join(root, "web")])],
  ["migrations match the schema", migrationsMatch],
  ["migrations let the version before go on", migrationsExpand],
  ["the table of settings is fresh", settingsAreFresh],
  ["license notices and SBOM are fresh", licensesAreFresh],
];

/**
 * Makes some checks, one after the other: each has the machine for itself, and the output its order.
 *
 * @returns how many failed
 */
export async function runChecks(
  some: readonly Check[],
  say: (text: string) => void,
): Promise<number> {
  let failed = 0;
  for (const [name, check] of some) {
    const error = await check().then(
      () => undefined,
      (thrown: Error) => thrown,
    );
    if (error) failed++;
    say(error ? `✖ ${name}\n${error.message.replace(/^/gm, "    ")}` : `✔ ${name}`);
  }
  return failed;
}

async function schemaBreaksNothing(): Promise<void> {
  for (const base of await breakingBases())
    await inScratch((folder) => checkBreaking(base, folder));
}

async function generatedCodeIsFresh(): Promise<void> {
  await inScratch(async (folder) => {
    await generate(folder);
    const fresh = await filesBelow(join(folder, "gen/src"));
    const stale = await differences(join(root, "gen/src"), fresh);
    const documents = [root, folder].map((each) =>
      readFile(join(each, "gen/openapi.json"), "utf8"),
    );
    const [committed, expected] = await Promise.all(documents);
    if (committed !== expected) stale.push("openapi.json");
    requireSame(stale, "npm run generate");
  });
}

async function licensesAreFresh(): Promise<void> {
  const stale = await differences(join(root, "licenses"), await thirdPartyLicenses());
  requireSame(stale, "npm run licenses");
}

async function settingsAreFresh(): Promise<void> {
  const committed = await readFile(join(root, operationsFile), "utf8");
  requireSame(committed === operationsWithSettings() ? [] : [operationsFile], "npm run docs");
}

async function migrationsMatch(): Promise<void> {
  for (const service of services)
    await inScratch(async (folder) => {
      const committed = join(root, service, "migrations");
      await cp(committed, folder, { recursive: true });
      await generateMigration(service, folder);
      const stale = await differences(committed, await filesBelow(folder));
      requireSame(stale, `npm run migration -- ${service}`);
    });
}

/** Tests begin with empty databases, so only this sees what fails where there are rows. */
async function migrationsExpand(): Promise<void> {
  for (const service of services) {
    const folder = join(root, service, "migrations");
    for (const name of (await readdir(folder)).filter((file) => file.endsWith(".sql"))) {
      const harm = harmOf(await readFile(join(folder, name), "utf8"));
      if (harm !== undefined)
        throw new Error(
          `${service}/migrations/${name}\n  ${harm}\n` +
            "fails where there are rows, or fails the version that still runs: see Upgrades in " +
            `${operationsFile}.\nGive a new column a default in src/schema.ts or make it nullable, ` +
            "and rename nothing.",
        );
    }
  }
}

/** The first statement that rows, or the version before, would not bear. */
export function harmOf(migration: string): string | undefined {
  const statements = migration.split(/;|--> statement-breakpoint/).map((text) => text.trim());
  return statements.find((text) => {
    if (!/^alter table/i.test(text)) return false;
    const demands = /\badd column\b.*\bnot null\b/is.test(text);
    return /\brename\b/i.test(text) || (demands && !/\b(default|generated)\b/i.test(text));
  });
}

/** Has drizzle-kit write the SQL for what has changed in a service's schema since the last migration. */
export async function generateMigration(service: string, folder: string): Promise<string> {
  const schema = join(root, service, "src/schema.ts");
  // drizzle-kit joins the folder to its own working directory, so it has to be a relative path.
  const out = relative(root, folder);
  return run("drizzle-kit", [
    "generate",
    "--dialect=postgresql",
    `--schema=${schema}`,
    `--out=${out}`,
  ]);
}

function requireSame(stale: readonly string[], remedy: string): void {
  if (stale.length > 0)
    throw new Error(
      `out of date, run \`${remedy}\`:\n${stale.map((path) => `  ${path}`).join("\n")}`,
    );
}

async function inScratch(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "3l1-check-"));
  try {
    await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
