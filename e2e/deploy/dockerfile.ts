import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../../scripts/run.ts";

/** A line of a Dockerfile, continuations joined: `COPY`, `--from=build /a /b`. */
export interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** Reads the repository's Dockerfile. */
export function readDockerfile(): Instruction[] {
  const text = readFileSync(join(root, "Dockerfile"), "utf8")
    .replace(/^\s*#.*\n/gm, "")
    .replace(/\\\n/g, " ");
  return text
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => {
      const [, name = "", rest = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name, rest: rest.trim() };
    });
}

/** Words of an instruction, its flags apart: `--from=build a b` is `{ from: "build" }` and `[a, b]`. */
export function wordsOf(rest: string): { flags: Record<string, string>; words: string[] } {
  const flags: Record<string, string> = {};
  const words: string[] = [];
  for (const word of rest.split(/\s+/)) {
    const [, flag, value = ""] = /^--([\w-]+)=(.*)$/.exec(word) ?? [];
    if (flag !== undefined && words.length === 0) flags[flag] = value;
    else words.push(word);
  }
  return { flags, words };
}

/** `${NAME}` as the builder puts in values. */
export function expand(text: string, values: Readonly<Record<string, string>>): string {
  return text.replace(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the Dockerfile uses ${name}, which has no value`);
    return value;
  });
}

/** What of the repository the builder gets to see, by the rules of .dockerignore: the last that fits wins. */
export function createContextFilter(): (path: string) => boolean {
  const rules = readFileSync(join(root, ".dockerignore"), "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({ keeps: line.startsWith("!"), pattern: patternOf(line.replace(/^!/, "")) }));
  return (path) => rules.findLast(({ pattern }) => pattern.test(path))?.keeps ?? true;
}

/** A pattern fits a path, and all below it. */
function patternOf(glob: string): RegExp {
  const source = glob
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replace(/\*\*\/|\*/g, (stars) => (stars === "*" ? "[^/]*" : "(?:.*/)?"));
  return new RegExp(`^${source}(?:/|$)`);
}
