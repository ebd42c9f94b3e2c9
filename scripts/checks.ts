import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { breakingBase, checkBreaking, generate, lintProtos } from "./buf.ts";
import { root, run } from "./run.ts";
import { differences, filesBelow } from "./same-files.ts";
import { thirdPartyLicenses } from "./third-party-licenses.ts";

/** A check: what it proves, and how. It throws with what to do. */
export type Check = readonly [name: string, check: () => Promise<unknown>];

/** Everything that is checked without running the platform. */
export const checks: readonly Check[] = [
  ["schema is linted and formatted", lintProtos],
  ["schema breaks no client", schemaBreaksNothing],
  ["generated code is fresh", generatedCodeIsFresh],
  ["code is formatted and linted", () => run("biome", ["ci", "--colors=off", root])],
  ["types hold", () => run("tsc", ["--project", root])],
  ["migrations match the schema", migrationsMatch],
  ["license notices are fresh", licensesAreFresh],
];

async function schemaBreaksNothing(): Promise<void> {
  const base = await breakingBase();
  if (base !== undefined) await inScratch((folder) => checkBreaking(base, folder));
}

async function generatedCodeIsFresh(): Promise<void> {
  await inScratch(async (folder) => {
    await generate(folder);
    const fresh = await filesBelow(join(folder, "gen/src"));
    requireSame(await differences(join(root, "gen/src"), fresh), "npm run generate");
  });
}

async function licensesAreFresh(): Promise<void> {
  const stale = await differences(join(root, "licenses"), await thirdPartyLicenses());
  requireSame(stale, "npm run licenses");
}

/** drizzle-kit writes a migration where the schema has changed since the last one. */
async function migrationsMatch(): Promise<void> {
  for (const service of ["user-service", "order-service"])
    await inScratch(async (folder) => {
      const { cp } = await import("node:fs/promises");
      const from = join(root, service, "migrations");
      const copy = join(folder, "migrations");
      await cp(from, copy, { recursive: true });
      const schema = join(root, service, "src/schema.ts");
      await run("drizzle-kit", [
        "generate",
        "--dialect=postgresql",
        `--schema=${schema}`,
        `--out=${copy}`,
      ]);
      requireSame(
        await differences(from, await filesBelow(copy)),
        `npm run migration -- ${service}`,
      );
    });
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
