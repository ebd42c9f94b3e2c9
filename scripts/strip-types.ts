// Writes what a process runs as plain JavaScript, for its image: Node.js then need not load its own
// TypeScript transformer.
//   node scripts/strip-types.ts <output folder> <file.ts> …
// Each file goes to its place below the output folder, and so does what it imports of the workspace.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(import.meta.dirname, "..");
/** `from "x.ts"`, `import "x.ts"`, `import("x.ts")` and `new URL("x.ts"`, where x is of the workspace. */
const specifiers = /\b((?:from|import|new URL)\s*\(?\s*")((?:\.{1,2}|@3l1)\/[^"\n]+)\.ts"/g;
/** Spaces and semicolons that stand where a declaration of types was. */
const emptyLine = /^[ \t;]+$/gm;

/**
 * Writes the files, and what they import of the workspace. Lines keep their numbers, so that a stack
 * trace still points into the source.
 *
 * @returns the paths of the files written, below `output`
 * @throws when an import leads nowhere
 */
export function stripTypes(files: readonly string[], output: string): string[] {
  const found = new Set(files.map((file) => resolve(file)));
  // A set that grows while it is walked is walked to its end.
  const written: string[] = [];
  for (const file of found) {
    const code = stripTypeScriptTypes(readFileSync(file, "utf8")).replace(emptyLine, "");
    const script = code.replace(specifiers, (_, before: string, specifier: string) => {
      found.add(locate(`${specifier}.ts`, file));
      return `${before}${specifier}.js"`;
    });
    const path = placeOf(relative(root, file).replace(/\.ts$/, ".js"));
    const target = join(output, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, script);
    written.push(path);
  }
  return written;
}

/** The package of generated code finds its JavaScript where it is packed for apps elsewhere. */
function placeOf(path: string): string {
  return path.replace(/^gen\//, "gen/dist/");
}

function locate(specifier: string, from: string): string {
  if (specifier.startsWith(".")) return resolve(dirname(from), specifier);
  const [, folder = "", ...path] = specifier.split("/");
  return join(root, folder, "src", ...path);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [output = "", ...files] = process.argv.slice(2);
  const written = stripTypes(files, output);
  process.stdout.write(`${written.length} files written to ${output}\n`);
}
