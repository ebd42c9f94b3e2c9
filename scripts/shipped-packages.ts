import { readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { root } from "./run.ts";

/** What goes into images: these packages and all that they need at run time. The gateway serves the console. */
const roots = ["gateway", "user-service", "order-service", "web"];

/** What we read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly dependencies?: Readonly<Record<string, string>>;
}

/** A package of an image. */
export interface ShippedPackage {
  readonly manifest: Manifest;
  readonly folder: string;
  /** What it needs, as `name@version`. */
  readonly dependencies: readonly string[];
}

/** All packages of all images, those of this workspace included. */
export async function shippedPackages(): Promise<ShippedPackage[]> {
  const leftOut = await dependenciesLeftOut();
  const packages = new Map<string, ShippedPackage>();
  const collect = async (folder: string): Promise<string> => {
    const manifest: Manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    const key = keyOf(manifest);
    if (packages.has(key)) return key;
    const dependencies: string[] = [];
    packages.set(key, { manifest, folder, dependencies });
    for (const name of Object.keys(manifest.dependencies ?? {}))
      if (!leftOut.has(`${manifest.name}>${name}`))
        dependencies.push(await collect(await locate(name, folder)));
    return key;
  };
  for (const name of roots) await collect(join(root, name));
  return [...packages.values()];
}

/** How packages name each other here, and how pnpm's lockfile does. */
export function keyOf({ name, version }: Manifest): string {
  return `${name}@${version}`;
}

/** Dependencies of packages that pnpm-workspace.yaml takes away: `package>dependency: "-"`. */
async function dependenciesLeftOut(): Promise<Set<string>> {
  const workspace = parse(await readFile(join(root, "pnpm-workspace.yaml"), "utf8"));
  const overrides: Record<string, string> = workspace.overrides ?? {};
  return new Set(Object.keys(overrides).filter((name) => overrides[name] === "-"));
}

/** Where Node would find a package from a folder. Its exports may hide package.json, so we look ourselves. */
async function locate(name: string, from: string): Promise<string> {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = await realpath(join(folder, "node_modules", name)).catch(() => undefined);
    if (found !== undefined) return found;
    if (folder === dirname(folder)) throw new Error(`${name} is not installed below ${from}`);
  }
}
