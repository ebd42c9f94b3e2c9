import { execFileSync } from "node:child_process";
import { run } from "../../scripts/run.ts";

/**
 * A network of its own, so that ports are those of the contract whatever else runs on this machine; and
 * the rights to mount and to change the root, which need no account but ours. All that is started in it
 * ends with it.
 */
const wrapper = [
  ...["--user", "--map-root-user", "--mount", "--net"],
  ...["--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc"],
];

/** Why this machine cannot make one, or `undefined` when it can. */
export function noPrivateNetwork(): string | undefined {
  if (process.platform !== "linux") return "needs Linux";
  try {
    const probe = "ip link set lo up && unshare --user --map-user=65532 --map-group=65532 true";
    execFileSync("unshare", [...wrapper, "sh", "-ec", probe], { stdio: "pipe", timeout: 10_000 });
    return undefined;
  } catch (error) {
    const { stderr, message } = error as { stderr?: Buffer; message: string };
    return `needs user namespaces and ip: ${(stderr?.toString() || message).trim()}`;
  }
}

/**
 * Runs a file of tests in a private network, and brings its report.
 *
 * @throws with the report when a test fails
 */
export function runInPrivateNetwork(file: string, ...args: string[]): Promise<string> {
  // Without its context the inner runner reports in words, and by its exit code.
  const script = 'unset NODE_TEST_CONTEXT; ip link set lo up && exec "$0" "$@"';
  const command = ["sh", "-ec", script, process.execPath, file, ...args];
  return run("unshare", [...wrapper, ...command], { timeoutMs: 120_000 });
}
