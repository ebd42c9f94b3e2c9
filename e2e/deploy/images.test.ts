import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root as repository, run } from "../../scripts/run.ts";
import { readDockerfile } from "./dockerfile.ts";
import { buildImage, type Image } from "./image.ts";
import { noPrivateNetwork, runInPrivateNetwork } from "./private-network.ts";

// There is no Docker engine in a test: the Dockerfile's own lines are followed on this machine.
const services = ["gateway", "user-service", "order-service"];
const skip = noPrivateNetwork() ?? false;
let folder = "";
const images: Record<string, Image> = {};

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "3l1-images-"));
  await Promise.all(
    services.map(async (service) => {
      images[service] = await buildImage(service, join(folder, service));
    }),
  );
  await writeFile(join(folder, "images.json"), JSON.stringify(images));
});

after(() => rm(folder, { recursive: true, force: true }));

test("an image holds Node.js, what it is linked to, and JavaScript: nothing to build with", {
  skip,
}, async () => {
  for (const { root } of Object.values(images)) {
    const top = await readdir(root);
    assert.deepEqual(top.filter((name) => !/^lib(64)?$/.test(name)).toSorted(), [
      "app",
      "etc",
      "licenses",
      "usr",
    ]);
    const files = (await run("find", [root, "-type", "f", "-name", "*.ts"])).trim();
    assert.deepEqual(files.split("\n").filter(Boolean), []);
    assert.deepEqual(await readdir(join(root, "usr/local/bin")), ["node"]);
    const licenses = await readdir(join(root, "licenses"));
    for (const name of ["3l1.txt", "node.txt", "glibc.txt", "libstdc++.txt", "README.md"])
      assert.ok(licenses.includes(name), name);
  }
});

test("the bill of materials names what is in an image, and nothing else", { skip }, async () => {
  const bill = JSON.parse(await readFile(join(repository, "licenses/sbom.cdx.json"), "utf8"));
  const graph = new Map<string, string[]>(
    bill.dependencies.map(({ ref, dependsOn }: { ref: string; dependsOn: string[] }) => [
      ref,
      dependsOn,
    ]),
  );
  for (const [service, { root }] of Object.entries(images)) {
    assert.ok((await readdir(join(root, "licenses"))).includes("sbom.cdx.json"));
    const { version } = JSON.parse(await readFile(join(repository, "package.json"), "utf8"));
    const expected = new Set([`pkg:npm/%403l1/${service}@${version}`]);
    // A set that grows while it is walked is walked to its end.
    for (const ref of expected) for (const other of graph.get(ref) ?? []) expected.add(other);
    const installed = (await readdir(join(root, "app/node_modules/.pnpm")))
      .map((name) => /^(@?[^@]+@[^_]+)/.exec(name)?.[1]?.replace("+", "/"))
      .filter((name) => name !== undefined);
    const foreign = [...expected].filter((ref) => /^pkg:npm\/(?!%403l1)/.test(ref));
    const purls = installed.map((name) => `pkg:npm/${name.replace(/^@/, "%40")}`);
    assert.deepEqual(purls.toSorted(), foreign.toSorted(), service);
  }
});

test("whoever runs it can read all of it", { skip }, async () => {
  for (const { root } of Object.values(images)) {
    const hidden = await run("find", [root, "!", "-type", "l", "!", "-perm", "-o=r"]);
    assert.equal(hidden, "");
    assert.ok((await stat(join(root, "usr/local/bin/node"))).mode & 0o001);
  }
});

test("commands are lists, so that no shell stands before the process", () => {
  for (const { name, rest } of readDockerfile())
    if (/^(ENTRYPOINT|CMD|HEALTHCHECK)$/.test(name)) assert.match(rest, /\["node", "[^"]+\.js"\]$/);
});

test("the images serve the platform as compose.yaml sets them up", { skip }, async (t) => {
  const inside = join(import.meta.dirname, "images.inside.ts");
  const report = await runInPrivateNetwork(inside, folder);
  assert.match(report, /ℹ pass [1-9]\d*\n[\s\S]*ℹ fail 0\nℹ cancelled 0/);
  t.diagnostic(report);
});
