import { relative } from "node:path";

/** A path to show: from where we are, where that is shorter and leads down. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path) || ".";
  return short.startsWith("..") ? path : short;
}
