// What `npm run keys -- rotate` does: a new key to sign access tokens with, for the platform that the
// environment names, else for the one that `npm start` runs.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { environmentFor } from "./environment.ts";
import { keySettings } from "./key-settings.ts";
import { root } from "./service.ts";
import { StartError } from "./start-error.ts";

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  if (args.length !== 1 || args[0] !== "rotate") {
    process.stderr.write("usage: npm run keys -- rotate\n");
    return 2;
  }
  try {
    return await rotate();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    process.stderr.write(`the signing keys were not rotated: ${error.message}\n`);
    return 1;
  }
}

async function rotate(): Promise<number> {
  const env = environmentFor("user-service", keySettings(process.env, root));
  const script = join(root, "user-service", "src", "rotate-keys.ts");
  const child = spawn(process.execPath, [script], { env, stdio: "inherit" });
  const [code] = await once(child, "exit");
  return code ?? 1;
}
