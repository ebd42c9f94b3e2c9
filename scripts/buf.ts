import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { layOutThirdPartyProtos } from "./third-party-protos.ts";

const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");

/** Runs buf in the repository, with protoc-gen-es on its PATH. Rejects with what it printed. */
export async function buf(...args: string[]): Promise<string> {
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}` };
  const { stdout } = await promisify(execFile)(join(bin, "buf"), args, { cwd: root, env });
  return stdout;
}

/** Writes gen/src anew from proto/. */
export async function generate(): Promise<void> {
  await layOutThirdPartyProtos(join(root, "third_party"));
  await buf("generate");
}
