import { execFile } from "node:child_process";
import { lchownSync, lstatSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { StartError } from "./start-error.ts";

const run = promisify(execFile);

/** A way to run a program so that PostgreSQL agrees to it: it refuses to be root. */
export interface PostgresUser {
  /** What stands before the program, or nothing. */
  readonly wrapper: readonly string[];
  /** Whom the wrapper, or the program itself, is started as. Default: as we are. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Who owns the data then. */
  readonly owner: { readonly uid: number; readonly gid: number };
}

/**
 * Finds a way to run `program` in `folder`: as ourselves; as root, in the order of how little it asks of
 * the machine:
 *
 * 1. as `nobody`, which has to reach both: it cannot below a folder of mode 0700, such as root's home;
 * 2. in a user namespace where we are called `nobody` and still own our files;
 * 3. as `nobody` with the one capability to pass by file modes, for containers that forbid namespaces.
 *
 * @throws {StartError} that says what to do when none works.
 */
export async function findPostgresUser(program: string, folder: string): Promise<PostgresUser> {
  const failures: string[] = [];
  for (const candidate of await candidates()) {
    try {
      giveTo(candidate.owner, folder);
      await probe(candidate, program, folder);
      return candidate;
    } catch (error) {
      failures.push(`  ${candidate.wrapper[0] ?? "directly"}: ${firstLine(error)}`);
    }
  }
  throw new StartError(
    [
      `PostgreSQL cannot be run by this user from ${program} with data in ${folder}:`,
      ...failures,
      "Run this as an ordinary user, or clone it to a folder that every user can enter, or set",
      "USER_DATABASE_URL and ORDER_DATABASE_URL to databases of your own.",
    ].join("\n"),
  );
}

async function candidates(): Promise<PostgresUser[]> {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const nobody = { uid: await idOf("-u"), gid: await idOf("-g") };
  const namespace = {
    wrapper: ["unshare", "--user", `--map-user=${nobody.uid}`, `--map-group=${nobody.gid}`],
    owner,
  };
  // An ordinary user needs the namespace only where it has no account, as in some containers.
  if (owner.uid !== 0) return [{ wrapper: [], owner }, namespace];
  return [
    { wrapper: [], user: nobody, owner: nobody },
    namespace,
    { wrapper: capabilityWrapper(nobody), owner: nobody },
  ];
}

/**
 * access(2), which PostgreSQL asks about its programs, ignores the capabilities of a user other than
 * root, unless no_setuid_fixup is set.
 */
function capabilityWrapper({ uid, gid }: { uid: number; gid: number }): string[] {
  const only = (set: string) => `--${set}=-all,+dac_override`;
  const identity = [`--reuid=${uid}`, `--regid=${gid}`, "--clear-groups"];
  const capabilities = [only("inh-caps"), only("ambient-caps"), only("bounding-set")];
  return ["setpriv", ...identity, "--securebits=+no_setuid_fixup", ...capabilities];
}

async function idOf(flag: "-u" | "-g"): Promise<number> {
  const { stdout } = await run("id", [flag, "nobody"]);
  return Number(stdout);
}

/** Enters the folder and runs the program there. initdb also wants its user to have a name. */
async function probe(candidate: PostgresUser, program: string, folder: string): Promise<void> {
  const script = 'cd "$2" && id -un >/dev/null && exec "$1" --version';
  const [command = "", ...args] = [...candidate.wrapper, "sh", "-c", script, "sh", program, folder];
  await run(command, args, { ...candidate.user, timeout: 10_000 });
}

/** Hands a folder over with all it holds, if it belongs to someone else: the way may change between starts. */
function giveTo(owner: { uid: number; gid: number }, path: string): void {
  const info = lstatSync(path);
  if (info.uid === owner.uid) return;
  if (info.isDirectory()) for (const name of readdirSync(path)) giveTo(owner, join(path, name));
  lchownSync(path, owner.uid, owner.gid);
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr || message).trim().split("\n")[0] ?? message;
}
