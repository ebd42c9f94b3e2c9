import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const here = fileURLToPath(new URL(".", import.meta.url));

/** Where `install.ts` puts Connect's conformance runner, and what it generates from its schema. */
export const runnerFolder = fileURLToPath(new URL("../../.local/conformance", import.meta.url));
const runner = `${runnerFolder}/connectconformance`;

export const isInstalled = existsSync(runner) && existsSync(`${runnerFolder}/gen`);

/** What the runner says about our client or our server. Rejects if a case fails that is not known to. */
export async function runConformance(mode: "client" | "server"): Promise<string> {
  const settings = ["--mode", mode, "--conf", `${here}${mode}.yaml`];
  const known = ["--known-failing", `@${here}${mode}-known-failing.txt`];
  const command = [process.execPath, `${here}${mode}.ts`];
  const run = promisify(execFile)(runner, [...settings, ...known, "--", ...command]);
  const { stdout } = await run.catch((error: Error & { stdout: string; stderr: string }) => {
    throw new Error(`${error.stdout}\n${error.stderr}`);
  });
  return stdout;
}
