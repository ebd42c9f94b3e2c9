import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const elsewhere = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
/** No sandbox: containers and CI have no user namespaces. Every page that is opened is our own. */
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** A Chromium of this machine: `CHROMIUM_PATH`, or the first that is on PATH. */
function findChromium(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  const onPath = names.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [process.env.CHROMIUM_PATH ?? "", ...onPath, ...elsewhere].find(isProgram);
}

/**
 * Why the stories with a browser cannot be told here; `false` if they can. Where `CI` is set there is no
 * excuse: they fail then.
 */
export function noChromium(): string | false {
  if (findChromium() !== undefined || process.env.CI) return false;
  return "no Chromium: install one (apt install chromium, brew install chromium), or set CHROMIUM_PATH";
}

/** Starts a browser without a window. */
export async function launchChromium(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined)
    throw new Error("there is no Chromium on PATH, and CHROMIUM_PATH names none");
  return chromium.launch({ executablePath, args: flags, timeout: 60_000 });
}

function isProgram(file: string): boolean {
  if (file === "") return false;
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
