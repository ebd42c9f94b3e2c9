import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@3l1/kit/wait-for.ts";
import type { Image } from "./image.ts";

/** A process that sees an image's files and nothing else of this machine but its network. */
export interface Container {
  /** All that it has printed. */
  output(): string;
  /** Runs another command in it, as `docker exec` does, and brings its exit code. */
  exec(command: readonly string[]): Promise<number | null>;
  /** Ends its first process as `docker stop` does, and brings the exit code. */
  stop(): Promise<number | null>;
  /** Ends all of it at once, if there is anything left to end. */
  kill(): void;
}

/**
 * What the engine does, with the same means of the kernel: the image's files, read-only; the secrets
 * where they are mounted; /proc and /dev; process 1 of its own; the image's user, without capabilities.
 * PATH is the image's, so these programs need theirs.
 */
const enter = `
/bin/mount --bind "$0" "$0"
/bin/mount --rbind /dev "$0/dev"
/bin/mount -t proc proc "$0/proc"
/bin/mount --bind "$1" "$0/run/secrets"
/bin/mount -o remount,bind,ro "$0/run/secrets"
/bin/mount -o remount,bind,ro "$0"
uid="$2" gid="$3" folder="$4" root="$0"
shift 4
exec /usr/bin/unshare --user --map-user="$uid" --map-group="$gid" --root="$root" --wd="$folder" -- "$@"
`;

/** Where the containers find each other: all share one network here. */
const hosts = "127.0.0.1 localhost gateway user-service order-service postgres redis\n";

/** Starts a container. Needs the rights of a private user namespace: `private-network.ts`. */
export function startContainer(
  image: Image,
  secrets: string,
  env: Readonly<Record<string, string>>,
): Container {
  for (const folder of ["dev", "proc", "etc", "run/secrets"])
    mkdirSync(join(image.root, folder), { recursive: true });
  writeFileSync(join(image.root, "etc/hosts"), hosts);
  const [uid = "", gid = ""] = image.user.split(":");
  const place = ["-ec", enter, image.root, secrets, uid, gid, image.folder];
  const own = ["--mount", "--pid", "--fork", "--kill-child=SIGKILL"];
  const started = spawn("/usr/bin/unshare", [...own, "/bin/sh", ...place, ...image.entrypoint], {
    env: { ...image.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const outcome = follow(started);
  return {
    output: outcome.output,
    async exec(command) {
      const target = ["--target", String(firstProcessOf(started)), "--user", "--mount", "--pid"];
      const place = ["--root", "--wd", "--preserve-credentials", "--"];
      const other = spawn("/usr/bin/nsenter", [...target, ...place, ...command], {
        env: { ...image.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      });
      return follow(other).exited;
    },
    async stop() {
      const first = await waitFor("its first process", async () => firstProcessOf(started), 5_000);
      process.kill(first, "SIGTERM");
      return outcome.exited;
    },
    kill: () => void started.kill("SIGKILL"),
  };
}

/** The only child of `unshare`: process 1 of the container. */
function firstProcessOf({ pid }: ChildProcess): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
  return children === "" ? undefined : Number(children.split(" ")[0]);
}

function follow(child: ChildProcess) {
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  const exited = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { exited, output: () => output };
}
