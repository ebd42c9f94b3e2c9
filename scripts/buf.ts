import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeOpenApi } from "./openapi.ts";
import { root, run } from "./run.ts";
import { layOutThirdPartyProtos } from "./third-party-protos.ts";

/** Writes what follows from proto/ into `folder`: the code to `gen/src`, and `gen/openapi.json`. */
export async function generate(folder: string): Promise<void> {
  await layOutThirdPartyProtos(join(root, "third_party"));
  await run("buf", ["generate", "--output", folder]);
  await writeOpenApi(join(folder, "gen/openapi.json"));
}

/** buf's STANDARD rules and a comment on everything, and its formatting. */
export async function lintProtos(): Promise<void> {
  await layOutThirdPartyProtos(join(root, "third_party"));
  await run("buf", ["lint"]);
  await run("buf", ["format", "--diff", "--exit-code", "proto"]);
}

/** Fails when proto/ breaks those who use the proto/ of an earlier commit. */
export async function checkBreaking(base: string, scratch: string): Promise<void> {
  await mkdir(scratch, { recursive: true });
  const archive = join(scratch, "base.tar");
  await run("git", ["archive", "--output", archive, base, "proto", "buf.yaml"]);
  await run("tar", ["-xf", archive, "-C", scratch]);
  await layOutThirdPartyProtos(join(scratch, "third_party"));
  await run("buf", ["build", join(scratch, "proto"), "--output", join(scratch, "base.binpb")]);
  await run("buf", ["breaking", "proto", "--against", join(scratch, "base.binpb")]);
}

/**
 * The commit to compare the schema with: where this branch left `main` on the server, or else the
 * commit before. `undefined` when there is none, as in a download without history.
 */
export async function breakingBase(): Promise<string | undefined> {
  const head = await revision("HEAD");
  const fork = await run("git", ["merge-base", "HEAD", "origin/main"]).catch(() => "");
  const base = fork.trim() !== "" && fork.trim() !== head ? fork.trim() : await revision("HEAD^");
  const hasSchema = base && (await run("git", ["ls-tree", base, "proto"]).catch(() => ""));
  return hasSchema ? base : undefined;
}

async function revision(name: string): Promise<string | undefined> {
  return (
    (await run("git", ["rev-parse", "--verify", "--quiet", name]).catch(() => "")).trim() ||
    undefined
  );
}
