import type { AnyDesc, DescFile } from "@bufbuild/protobuf";
import { getComments } from "@bufbuild/protoplugin";

/** The comment above something in the schema, its lines joined to paragraphs. Empty without one. */
export function commentOf(desc: Exclude<AnyDesc, DescFile>): string {
  const lines = (getComments(desc).leading ?? "").split("\n").map((line) => line.trim());
  return lines
    .join("\n")
    .trim()
    .split(/\n{2,}/)
    .map((paragraph) => paragraph.replaceAll("\n", " "))
    .join("\n\n");
}

/** The first sentence of a comment, without its full stop. */
export function summaryOf(comment: string): string {
  return (/^.*?(?=\.(?:\s|$)|$)/s.exec(comment)?.[0] ?? "").trim();
}
