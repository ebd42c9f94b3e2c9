import { spawn } from "node:child_process";
import { join } from "node:path";

/** The folder of the repository. */
export const root = join(import.meta.dirname, "..");
const bin = join(root, "node_modules/.bin");

export interface RunOptions {
  /** Where to run it. Default: the repository. */
  readonly cwd?: string;
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Called with what the command prints, as it comes. Default: it is only collected. */
  readonly onOutput?: (text: string) => void;
  /** After this many milliseconds the command is ended. Default: ten minutes. */
  readonly timeoutMs?: number;
}

/**
 * Runs a command of the workspace (biome, buf, tsc …) or of the system.
 *
 * @throws with what it printed when it does not exit with 0
 */
export async function run(
  command: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { cwd = root, env, onOutput, timeoutMs = 600_000 } = options;
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
    // `unshare` and others that wait for a child take no notice of SIGTERM.
    killSignal: "SIGKILL",
  });
  // Who is told to end leaves nothing running.
  const end = () => void child.kill("SIGTERM");
  process.once("exit", end);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      onOutput?.(text);
    });
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.on("error", reject).on("close", resolve);
  const code = await promise.finally(() => process.off("exit", end));
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}\n${output.trimEnd()}`);
  return output;
}
