import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./run.ts";
import { sbom } from "./sbom.ts";
import { type Manifest, type ShippedPackage, shippedPackages } from "./shipped-packages.ts";

/** What stands in licenses/, by file name: the notices of everything that we ship but did not write, and its SBOM. */
export async function thirdPartyLicenses(): Promise<Map<string, string>> {
  const shipped = await shippedPackages();
  const files = new Map<string, string>([["sbom.cdx.json", await sbom(shipped)]]);
  const rows: string[] = [];
  for (const { manifest, folder } of shipped.filter(isForeign).sort(byName)) {
    const file = `${manifest.name.replace("/", "+")}@${manifest.version}.txt`;
    rows.push(`| [${manifest.name}](${file}) | ${manifest.version} | ${manifest.license ?? "?"} |`);
    files.set(file, await notice(manifest, folder));
  }
  return files.set("README.md", overview(rows));
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
Written by \`npm run licenses\`; \`npm test\` fails when it is out of date. [sbom.cdx.json](sbom.cdx.json) is the same for
machines, with who needs what (CycloneDX). The images carry all of it in \`/licenses\`.

| package | version | license |
|---|---|---|
${rows.join("\n")}
`;
}

/** Not of this workspace. */
function isForeign({ folder }: ShippedPackage): boolean {
  return folder.includes("node_modules");
}

function byName(a: ShippedPackage, b: ShippedPackage): number {
  return a.manifest.name < b.manifest.name ? -1 : 1;
}
