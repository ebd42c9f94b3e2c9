import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { root, run } from "../scripts/run.ts";

/** The repository once more, to change and break. It has what is not committed yet, too. */
export interface ScratchCopy extends AsyncDisposable {
  readonly folder: string;
  /** Runs a script of the copy. Rejects with what it printed if it fails. */
  node(...args: string[]): Promise<string>;
  /** Runs a program, that of the copy if it has one. */
  run(command: string, ...args: string[]): Promise<string>;
  /** Has the copy's own history. */
  git(...args: string[]): Promise<string>;
}

/** What is not source. Libraries are linked. */
const leftOut = new Set(["node_modules", ".git", ".local", "third_party", "dist", "coverage"]);
const packages = ["gen", "kit", "gateway", "user-service", "order-service", "web"];

/** Copies the repository into a folder of its own, as the one commit of a branch `main`. */
export async function copyRepository(): Promise<ScratchCopy> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "3l1-copy-")));
  const filter = (path: string) => !leftOut.has(basename(path));
  await cp(root, folder, { recursive: true, filter });
  await linkLibraries(folder);
  const options = { cwd: folder, env: { PATH: `${folder}/node_modules/.bin:${process.env.PATH}` } };
  const author = ["-c", "user.name=A Developer", "-c", "user.email=developer@example.com"];
  const git = (...args: string[]) => run("git", [...author, ...args], options);
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", ".");
  await git("commit", "--quiet", "--message=Start");
  return {
    folder,
    git,
    node: (...args) => run(process.execPath, args, options),
    run: (command, ...args) => run(command, args, options),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Links lead to the libraries that are installed, but those between packages stay within the copy. */
async function linkLibraries(folder: string): Promise<void> {
  const libraries = join(folder, "node_modules");
  await mkdir(libraries);
  for (const name of await readdir(join(root, "node_modules")))
    if (name !== "@3l1") await symlink(join(root, "node_modules", name), join(libraries, name));
  const copied = ["node_modules/@3l1", ...packages.map((name) => `${name}/node_modules`)];
  for (const path of copied)
    await cp(join(root, path), join(folder, path), { recursive: true, verbatimSymlinks: true });
}
