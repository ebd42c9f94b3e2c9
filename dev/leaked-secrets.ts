import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** What secrets look like, whosever they are. */
const shapes: readonly (readonly [what: string, shape: RegExp])[] = [
  ["a token", /eyJ[\w-]{10,}\.[\w-]{10,}/],
  // base64url of 73 bytes, of which the first is the version, 1.
  ["a session key", /(?<![\w-])A[Q-Za-f][\w-]{96}(?![\w-])/],
  ["a password's hash", /\$argon2id\$|\$2[aby]\$\d\d\$/],
];

/**
 * Secrets in a text, told by kind and line, and never shown.
 *
 * @param known secrets that have no shape: passwords, keys
 */
export function findSecrets(text: string, known: readonly string[]): string[] {
  return text.split("\n").flatMap((line, index) => {
    const kinds = shapes.filter(([, shape]) => shape.test(line)).map(([what]) => what);
    const isKnown = known.some((secret) => secret !== "" && line.includes(secret));
    return [...kinds, ...(isKnown ? ["a known secret"] : [])].map(
      (what) => `${what} in line ${index + 1}`,
    );
  });
}

/** @throws when there are secrets in a text */
export function refuseSecrets(where: string, text: string, known: readonly string[]): void {
  const found = findSecrets(text, known);
  if (found.length > 0) throw new Error(`${where} has ${found.slice(0, 5).join(", ")}`);
}

/** The same for all log files below a folder. */
export async function refuseSecretsInLogs(folder: string, known: readonly string[]): Promise<void> {
  const names = await readdir(folder, { recursive: true });
  for (const name of names.filter((each) => each.endsWith(".log"))) {
    const text = await readFile(join(folder, name), "utf8").catch(() => "");
    refuseSecrets(name, text, known);
  }
}
