import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";

const root = join(import.meta.dirname, "..");
/** What goes into images: these packages and all that they need at run time. */
const shipped = ["gateway", "user-service", "order-service"];

/** Dependencies of packages that pnpm-workspace.yaml takes away: `package>dependency: "-"`. */
const leftOut: ReadonlySet<string> = await dependenciesLeftOut();

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
  readonly author?: string | { readonly name: string };
  readonly homepage?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** The notices of everything that we ship but did not write: file name → text. */
export async function thirdPartyLicenses(): Promise<Map<string, string>> {
  const packages = new Map<string, { manifest: Manifest; folder: string }>();
  for (const name of shipped) await collect(join(root, name), packages);
  const files = new Map<string, string>();
  const rows: string[] = [];
  for (const { manifest, folder } of [...packages.values()].sort(byName)) {
    const file = `${manifest.name.replace("/", "+")}@${manifest.version}.txt`;
    rows.push(`| [${manifest.name}](${file}) | ${manifest.version} | ${manifest.license ?? "?"} |`);
    files.set(file, await notice(manifest, folder));
  }
  return files.set("README.md", overview(rows));
}

async function collect(
  folder: string,
  packages: Map<string, { manifest: Manifest; folder: string }>,
): Promise<void> {
  const manifest: Manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const key = `${manifest.name}@${manifest.version}`;
  if (packages.has(key)) return;
  if (!folder.startsWith(root) || folder.includes("node_modules"))
    packages.set(key, { manifest, folder });
  for (const name of Object.keys(manifest.dependencies ?? {}))
    if (!leftOut.has(`${manifest.name}>${name}`))
      await collect(await locate(name, folder), packages);
}

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

async function notice(manifest: Manifest, folder: string): Promise<string> {
  const names = await readdir(folder);
  const texts = names.filter((name) => /^(licen[cs]e|notice|copying)/i.test(name)).sort();
  const author = typeof manifest.author === "object" ? manifest.author.name : manifest.author;
  const head = [
    `${manifest.name} ${manifest.version}`,
    `License: ${manifest.license ?? "see below"}`,
    ...(author ? [`Author: ${author.replace(/\s*<.*?>/, "")}`] : []),
  ].join("\n");
  const bodies =
    texts.length > 0
      ? await Promise.all(texts.map((name) => readFile(join(folder, name), "utf8")))
      : await Promise.all(licenseIds(manifest).map(standardText));
  return `${head}\n\n${bodies.map((body) => body.replaceAll("\r\n", "\n").trim()).join("\n\n")}\n`;
}

/** The identifiers in an SPDX expression such as `(Apache-2.0 AND BSD-3-Clause)`. */
function licenseIds(manifest: Manifest): string[] {
  const ids = manifest.license?.match(/[\w.-]+/g)?.filter((word) => !/^(AND|OR|WITH)$/.test(word));
  if (!ids) throw new Error(`${manifest.name} names no license`);
  return ids;
}

/** The text of a license as SPDX has it, for packages that only name theirs. */
async function standardText(id: string): Promise<string> {
  const file = join(root, "node_modules/spdx-license-list/licenses", `${id}.json`);
  return JSON.parse(await readFile(file, "utf8")).licenseText;
}

function overview(rows: readonly string[]): string {
  return `# Third-party licenses

What the images carry beside our own code, with the full texts as the packages ship them.
Written by \`npm run licenses\`; \`npm test\` fails when it is out of date.

| package | version | license |
|---|---|---|
${rows.join("\n")}
`;
}

function byName(a: { manifest: Manifest }, b: { manifest: Manifest }): number {
  return a.manifest.name < b.manifest.name ? -1 : 1;
}
