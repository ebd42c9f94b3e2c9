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
 * The commits to compare the schema with: where this branch left `main`, on the server or else here. On
 * `main` itself the last commit and the one before, so that neither what is about to be committed nor what
 * was breaks anybody. None in a download without history.
 */
export async function breakingBases(): Promise<string[]> {
  const head = await revision("HEAD");
  const fork = (await forkFrom("origin/main")) ?? (await forkFrom("main"));
  const onBranch = fork !== undefined && fork !== head;
  const bases = onBranch ? [fork] : [head, await revision("HEAD^")];
  const known = bases.filter((base) => base !== undefined);
  const haveSchema = await Promise.all(known.map((base) => output("ls-tree", base, "proto")));
  return known.filter((_, index) => haveSchema[index] !== undefined);
}

async function forkFrom(branch: string): Promise<string | undefined> {
  return output("merge-base", "HEAD", branch);
}

async function revision(name: string): Promise<string | undefined> {
  return output("rev-parse", "--verify", "--quiet", name);
}

/** What git prints, `undefined` if that is nothing or it fails. */
async function output(...args: string[]): Promise<string | undefined> {
  return (await run("git", args).catch(() => "")).trim() || undefined;
}
