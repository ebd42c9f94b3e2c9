import { readdir, readFile, stat } from "node:fs/promises";
import { extname, join } from "node:path";
import { type Asset, createAsset } from "./asset.ts";

/** A build of the web console, in memory. */
export interface ConsoleBuild {
  /** `undefined`: there is no build. */
  readonly page: Asset | undefined;
  /** By name, which ends with a hash of what is in it. */
  readonly assets: ReadonlyMap<string, Asset>;
}

export interface ConsoleFiles {
  /** The build as it is now: one made while the process runs is found when its page is there. */
  current(): Promise<ConsoleBuild>;
}

const contentTypes: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
};
const forever = "public, max-age=31536000, immutable";
const none: ConsoleBuild = { page: undefined, assets: new Map() };

/** Reads a build from a folder, once. A look at the time of its page shows whether there is another. */
export function createConsoleFiles(folder: string): ConsoleFiles {
  const pageFile = join(folder, "index.html");
  let known: { readonly builtAt: number; readonly build: Promise<ConsoleBuild> } | undefined;
  return {
    async current() {
      const builtAt = await stat(pageFile).then(
        ({ mtimeMs }) => mtimeMs,
        () => undefined,
      );
      if (builtAt === undefined) return none;
      if (known?.builtAt !== builtAt) known = { builtAt, build: read(folder, pageFile) };
      return known.build;
    },
  };
}

async function read(folder: string, pageFile: string): Promise<ConsoleBuild> {
  const names = await readdir(join(folder, "assets"));
  const assets = await Promise.all(
    names.flatMap((name) => {
      const type = contentTypes[extname(name)];
      return type === undefined ? [] : [readAsset(join(folder, "assets", name), name, type)];
    }),
  );
  const page = createAsset(await readFile(pageFile), "text/html; charset=utf-8");
  return { page, assets: new Map(assets) };
}

async function readAsset(file: string, name: string, type: string): Promise<[string, Asset]> {
  return [name, createAsset(await readFile(file), type, forever)];
}
