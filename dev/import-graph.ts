import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

/** `from "x"`, `import "x"` and `import("x")`. */
const specifiers = /\b(?:from|import)\s*\(?\s*"([^"]+)"/g;
/** Packages of the workspace whose source is the repository's own. */
const workspace = /^@3l1\/([^/]+)\/(.+)$/;

/** All files of the repository that a file is made of: itself, and what it imports, directly or not. */
export function filesBehind(main: string, root: string): Set<string> {
  const found = new Set<string>();
  const queue = [main];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    for (const [, specifier = ""] of readSource(file).matchAll(specifiers)) {
      const target = locate(specifier, file, root);
      if (target) queue.push(target);
    }
  }
  return found;
}

function locate(specifier: string, from: string, root: string): string | undefined {
  if (specifier.startsWith(".")) return resolve(dirname(from), specifier);
  const [, folder, path] = workspace.exec(specifier) ?? [];
  return folder && path ? join(root, folder, "src", path) : undefined;
}

/** A file that is just being replaced has no imports for now; the next change looks again. */
function readSource(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
