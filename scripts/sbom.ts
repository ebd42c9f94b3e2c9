import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "./run.ts";
import { keyOf, type Manifest, type ShippedPackage } from "./shipped-packages.ts";

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly resolution: { readonly integrity: string } }>
  >;
}

/**
 * A software bill of materials of the images, as CycloneDX 1.6 has it: every package with its license and
 * the checksum that pnpm holds it to, and who needs whom. Without a date or a serial number, so that it
 * changes with what it tells alone. What of it is in one image follows from `dependencies`.
 */
export async function sbom(shipped: readonly ShippedPackage[]): Promise<string> {
  const lockfile: Lockfile = parse(await readFile(join(root, "pnpm-lock.yaml"), "utf8"));
  const platform: Manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const runtime = await nodeOfImages();
  const sorted = shipped.toSorted((a, b) => (keyOf(a.manifest) < keyOf(b.manifest) ? -1 : 1));
  const processes = sorted.map(({ manifest }) => manifest).filter(isProcess);
  const document = {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: { type: "application", ...identityOf(platform) } },
    components: [...sorted.map(({ manifest }) => componentOf(manifest, lockfile)), runtime],
    dependencies: [
      { ref: purlOf(platform), dependsOn: processes.map(purlOf) },
      ...sorted.map(({ manifest, dependencies }) => ({
        ref: purlOf(manifest),
        dependsOn: [
          ...dependencies.map(purlOfKey).toSorted(),
          ...(isProcess(manifest) ? [runtime["bom-ref"]] : []),
        ],
      })),
    ],
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** What runs in an image. */
function isProcess({ name }: Manifest): boolean {
  return /^@3l1\/(gateway|.*-service)$/.test(name);
}

function componentOf(manifest: Manifest, lockfile: Lockfile) {
  const [algorithm = "", digest = ""] =
    lockfile.packages[keyOf(manifest)]?.resolution.integrity.split("-") ?? [];
  const content = Buffer.from(digest, "base64").toString("hex");
  return {
    type: isProcess(manifest) ? "application" : "library",
    ...identityOf(manifest),
    ...(digest !== "" && { hashes: [{ alg: algorithm.replace("sha", "SHA-"), content }] }),
  };
}

function identityOf(manifest: Manifest) {
  const { name, version, license } = manifest;
  const isExpression = license?.includes(" ");
  return {
    "bom-ref": purlOf(manifest),
    name,
    version,
    purl: purlOf(manifest),
    ...(license && {
      licenses: [isExpression ? { expression: license } : { license: { id: license } }],
    }),
  };
}

/** The Node.js of the Dockerfile, which its notices are with in the image. */
async function nodeOfImages() {
  const dockerfile = await readFile(join(root, "Dockerfile"), "utf8");
  const [, version = ""] = /^FROM node:([\d.]+)-/m.exec(dockerfile) ?? [];
  const purl = `pkg:generic/node@${version}`;
  return { type: "platform", "bom-ref": purl, name: "node", version, purl };
}

/** A package URL: github.com/package-url/purl-spec. */
function purlOf(manifest: Manifest): string {
  return purlOfKey(keyOf(manifest));
}

function purlOfKey(key: string): string {
  return `pkg:npm/${key.replace(/^@/, "%40")}`;
}
