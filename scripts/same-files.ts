import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** The files that differ between a folder and what it should hold, by path below it. */
export async function differences(
  folder: string,
  expected: ReadonlyMap<string, string>,
): Promise<string[]> {
  const actual = await filesBelow(folder);
  const paths = new Set([...actual.keys(), ...expected.keys()]);
  return [...paths].filter((path) => actual.get(path) !== expected.get(path)).sort();
}

/** Every file below a folder: path → text. */
export async function filesBelow(folder: string): Promise<Map<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return new Map(
    await Promise.all(
      files.map(async (entry) => {
        const path = join(entry.parentPath, entry.name);
        return [path.slice(folder.length + 1), await readFile(path, "utf8")] as const;
      }),
    ),
  );
}
