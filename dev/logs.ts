// `npm run logs`: what the services of `npm start` have logged, readable and in the order of time.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { followLog } from "./follow-log.ts";
import { readableLine, timeOf } from "./log-line.ts";
import { root } from "./service.ts";
import { logFileOf } from "./service-logs.ts";
import { shortPath } from "./short-path.ts";
import { StartError } from "./start-error.ts";
import { createTerminal } from "./terminal.ts";

const services = ["gateway", "user-service", "order-service"];
/** Of each log. Who wants more reads the file. */
const lastBytes = 1024 * 1024;

const usage = `usage: npm run logs [-- [--follow] [SERVICE …]]

  --follow   go on with what is logged from now on
  SERVICE    ${services.join(", ")}; default: all`;

const terminal = createTerminal(process.stdout, () => performance.now());
// `npm run logs | head` has enough at some point.
process.stdout.on("error", () => process.exit());

try {
  await show();
} catch (error) {
  if (!(error instanceof StartError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function show(): Promise<void> {
  const { names, follow } = readArguments(process.argv.slice(2));
  const platformDir = resolve(root, process.env.PLATFORM_DIR || ".local");
  const files = names
    .map((name) => logFileOf(platformDir, name))
    .filter((file) => existsSync(file));
  if (files.length === 0)
    throw new StartError(`no logs in ${shortPath(platformDir)}: they come with npm start`);
  let earlier: [time: string, line: string][] | undefined = [];
  const logs = files.map((file) => {
    let time = "";
    const tell = (lines: readonly string[]) => {
      for (const line of lines) {
        time = timeOf(line) ?? time;
        if (earlier) earlier.push([time, line]);
        else print(line);
      }
    };
    return followLog(file, tell, { lastBytes });
  });
  const sorted = earlier.sort(([one], [other]) => (one < other ? -1 : one > other ? 1 : 0));
  earlier = undefined;
  for (const [, line] of sorted) print(line);
  if (follow) await once(process, "SIGINT");
  for (const log of logs) log.close();
}

function print(line: string): void {
  if (line !== "") terminal.print(readableLine(line, terminal.paint));
}

function readArguments(args: string[]): { names: readonly string[]; follow: boolean } {
  try {
    const options = { follow: { type: "boolean", short: "f", default: false } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const unknown = positionals.find((name) => !services.includes(name));
    if (unknown) throw new Error(`there is no service "${unknown}"`);
    return { names: positionals.length > 0 ? positionals : services, follow: values.follow };
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
}
