import { cp, mkdir, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join, relative } from "node:path";
import { root, run } from "../../scripts/run.ts";
import { createContextFilter, expand, readDockerfile, wordsOf } from "./dockerfile.ts";

/** What an image is: files, and how a process is started on them. */
export interface Image {
  /** The folder that holds its files. */
  readonly root: string;
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly healthCheck: readonly string[];
}

/** A stage while it is built. */
interface Stage {
  readonly root: string;
  readonly args: Record<string, string>;
  readonly env: Record<string, string>;
  folder: string;
  user: string;
  entrypoint: string[];
  healthCheck: string[];
}

/** Files of the base image that the Dockerfile copies. This machine need not have them. */
const standIns = ["usr/local/LICENSE"];

/**
 * Builds an image without a Docker engine: follows the Dockerfile line by line, each stage in a folder of
 * its own. RUN lines run on this machine instead of the base image, in the stage's folder.
 *
 * @throws when a line is one that it cannot follow
 */
export async function buildImage(service: string, folder: string): Promise<Image> {
  const stages = new Map<string, Stage>();
  const inContext = createContextFilter();
  let stage: Stage | undefined;
  for (const { name, rest } of readDockerfile()) {
    if (name === "FROM") {
      const [base = "", , label = "last"] = rest.split(/\s+/);
      stage = await openStage(join(folder, label), base);
      stages.set(label, stage);
      continue;
    }
    if (stage === undefined) throw new Error(`${name} stands before FROM`);
    if (name === "RUN") await runIn(stage, rest);
    else if (name === "COPY") await copyTo(stage, rest, stages, inContext);
    else configure(stage, name, rest, service);
  }
  if (stage === undefined) throw new Error("the Dockerfile has no stage");
  return stage;
}

async function openStage(folder: string, base: string): Promise<Stage> {
  await mkdir(folder, { recursive: true });
  if (base !== "scratch")
    for (const path of standIns) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), "");
    }
  const empty = { args: {}, env: {}, entrypoint: [], healthCheck: [] };
  return { root: folder, folder: "/", user: "0:0", ...empty };
}

/** RUN with the same Node.js as the base image's. */
async function runIn(stage: Stage, script: string): Promise<void> {
  const cwd = join(stage.root, stage.folder);
  await mkdir(cwd, { recursive: true });
  const path = `${dirname(process.execPath)}:${process.env.PATH}`;
  const env = { ...stage.env, ...stage.args, PATH: path };
  await run("sh", ["-ec", script], { cwd, env, timeoutMs: 120_000 });
}

async function copyTo(
  stage: Stage,
  rest: string,
  stages: ReadonlyMap<string, Stage>,
  inContext: (path: string) => boolean,
): Promise<void> {
  const { flags, words } = wordsOf(expand(rest, { ...stage.env, ...stage.args }));
  const sources = words.slice(0, -1);
  const target = words.at(-1) ?? "";
  const destination = join(stage.root, target.startsWith("/") ? "" : stage.folder, target);
  const from = flags.from === undefined ? root : stages.get(flags.from)?.root;
  if (from === undefined) throw new Error(`COPY from an unknown stage: ${rest}`);
  const filter = (path: string) =>
    from !== root || relative(root, path) === "" || inContext(relative(root, path));
  for (const source of sources) {
    const path = join(from, source);
    const isFolder = (await stat(path)).isDirectory();
    const to = isFolder || !target.endsWith("/") ? destination : join(destination, basename(path));
    if (!filter(path)) throw new Error(`.dockerignore keeps back what is copied: ${source}`);
    await mkdir(isFolder ? to : dirname(to), { recursive: true });
    // Between stages, which nobody changes any more, links will do: thousands of files.
    if (isFolder && from !== root) await run("cp", ["-al", `${path}/.`, to]);
    else await cp(path, to, { recursive: true, verbatimSymlinks: true, filter });
  }
}

function configure(stage: Stage, name: string, rest: string, service: string): void {
  const value = expand(rest, { ...stage.env, ...stage.args, SERVICE: service });
  const command = /\[.*\]$/.exec(value)?.[0] ?? "[]";
  if (name === "ARG") stage.args[value] = service;
  else if (name === "WORKDIR") stage.folder = value;
  else if (name === "USER") stage.user = value;
  else if (name === "ENTRYPOINT") stage.entrypoint = JSON.parse(command);
  else if (name === "HEALTHCHECK") stage.healthCheck = JSON.parse(command);
  else if (name === "ENV")
    for (const entry of value.split(/\s+/)) {
      const [variable = "", ...parts] = entry.split("=");
      stage.env[variable] = parts.join("=");
    }
  else if (name !== "STOPSIGNAL") throw new Error(`cannot follow ${name} ${rest}`);
}
