import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { prometheusRule, prometheusRuleFile } from "../../scripts/prometheus-rule.ts";
import { root } from "../../scripts/run.ts";
import { readComposeFile } from "./compose-file.ts";
import {
  type Container,
  checkManifests,
  type KubernetesObject,
  type Labels,
  missing,
  type PodTemplate,
  type Report,
} from "./kubernetes/manifests.ts";

const processes = ["gateway", "user-service", "order-service"];
const overlays = ["base", "overlays/single", "overlays/production"];
const migrations = ["migrations", "overlays/production/migrations"];
const skip = missing;
const reports = new Map<string, Report>();
if (!skip) for (const path of [...overlays, ...migrations]) reports.set(path, checkManifests(path));
const compose = readComposeFile().services;

const objectsOf = (path: string, kind: string) =>
  reports.get(path)?.objects.filter((object) => object.kind === kind) ?? [];
const everywhere = (kind: string) => overlays.flatMap((path) => objectsOf(path, kind));
const jobs = () => migrations.flatMap((path) => objectsOf(path, "Job"));

test("Kubernetes' own validation takes every object, and the restricted pod standard every pod", {
  skip,
}, () => {
  for (const [path, { objects, problems }] of reports) {
    assert.deepEqual(problems, [], path);
    assert.ok(objects.length >= 2, path);
  }
});

test("it would not take what is misspelt, nor a pod with rights", { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "3l1-kubernetes-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "deployment.yaml");
  const deployment = JSON.parse(JSON.stringify(objectsOf("base", "Deployment")[0]));
  const check = async (change: (container: Record<string, unknown>) => void) => {
    const changed = structuredClone(deployment);
    change(changed.spec.template.spec.containers[0]);
    await writeFile(file, JSON.stringify(changed));
    return checkManifests(file).problems.join("\n");
  };
  assert.equal(await check(() => {}), "");
  assert.match(await check((one) => (one.readynessProbe = {})), /unknown field.*readynessProbe/);
  assert.match(await check((one) => (one.imagePullPolicy = "Sometimes")), /Unsupported value/);
  const privileged = { allowPrivilegeEscalation: true };
  assert.match(await check((one) => (one.securityContext = privileged)), /not restricted/);
});

test("every setting is one of its process, and none that it needs is left out", async () => {
  for (const name of processes) {
    const text = readFileSync(join(root, `deploy/kubernetes/base/${name}.env`), "utf8");
    const given = [...text.matchAll(/^(\w+)=/gm)].map(([, key = ""]) => key.replace(/_FILE$/, ""));
    await requireSettings(name, given);
    const settings = await settingsOf(name);
    const needed = Object.keys(settings).filter((key) => !("default" in (settings[key] ?? {})));
    assert.deepEqual(
      needed.filter((key) => !given.includes(key)),
      [],
      name,
    );
  }
  for (const { metadata, data = {} } of everywhere("ConfigMap"))
    await requireSettings(processOf(metadata.name), Object.keys(data));
});

test("every setting that compose.yaml passes can be given here too, with the same default", () => {
  for (const name of processes) {
    const text = readFileSync(join(root, `deploy/kubernetes/base/${name}.env`), "utf8");
    const given = [...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, key, value]) => `${key}=${value}`);
    const passed = Object.entries(compose[name]?.environment ?? {}).map(
      ([key, value]) => `${key}=${value.replace(/^\$\{\w+:-(.*)\}$/, "$1")}`,
    );
    assert.deepEqual(given.toSorted(), passed.toSorted(), name);
  }
});

test("secrets are those of compose.yaml, are mounted as files, and stand in no manifest", {
  skip,
}, () => {
  assert.deepEqual(everywhere("Secret"), []);
  for (const { metadata, data = {} } of everywhere("ConfigMap")) {
    const files = (env: Labels) => Object.entries(env).filter(([key]) => key.endsWith("_FILE"));
    const { environment = {} } = compose[processOf(metadata.name)] ?? {};
    assert.deepEqual(files(data).toSorted(), files(environment).toSorted());
    for (const [key] of Object.entries(data))
      assert.ok(key.endsWith("_FILE") || !/PASSWORD$|SECRET|DATABASE|REDIS/.test(key), key);
  }
  for (const { metadata, spec } of everywhere("Deployment")) {
    const { containers, volumes } = spec?.template?.spec ?? ({} as PodTemplate["spec"]);
    assert.deepEqual(
      containers[0]?.volumeMounts.map(({ mountPath }) => mountPath),
      ["/run/secrets"],
    );
    const secret = { secretName: metadata.name, defaultMode: 0o440 };
    assert.deepEqual(volumes, [{ name: "secrets", secret }]);
  }
});

test("ports are those of the contract, and callers name Services that have them", {
  skip,
}, async () => {
  for (const path of overlays)
    for (const name of processes) {
      const { ports } = containerOf(find(path, "Deployment", name));
      const settings = await settingsOf(name);
      const prefix = name.toUpperCase().replace("-", "_");
      const expected = [settings[`${prefix}_PORT`], settings[`${prefix}_ADMIN_PORT`]];
      assert.deepEqual(
        ports.map(({ containerPort }) => containerPort),
        expected.map((setting) => setting?.default),
      );
      const service = find(path, "Service", name).spec;
      const [served] = service?.ports ?? [];
      assert.equal(served?.port, ports[0]?.containerPort);
      assert.equal(served?.targetPort, ports[0]?.name);
      assert.equal(service?.clusterIP, name === "gateway" ? undefined : "None");
    }
  for (const { data = {} } of everywhere("ConfigMap"))
    for (const [, host = "", port] of JSON.stringify(data).matchAll(/http:\/\/([\w-]+):(\d+)/g))
      assert.equal(find("base", "Service", host).spec?.ports?.[0]?.port, Number(port));
});

test("probes ask pages and ports that are there", { skip }, () => {
  for (const deployment of everywhere("Deployment")) {
    const container = containerOf(deployment);
    const [served, admin] = container.ports;
    const page = (path: string) => ({ path, port: admin?.name });
    assert.equal(admin?.name, "admin");
    assert.deepEqual(container.startupProbe.httpGet, page("/readyz"));
    assert.deepEqual(container.livenessProbe.httpGet, page("/livez"));
    const { httpGet, grpc } = container.readinessProbe;
    if (deployment.metadata.name === "gateway") assert.deepEqual(httpGet, page("/readyz"));
    else assert.equal(grpc?.port, served?.containerPort);
  }
});

test("a pod has the time to drain", { skip }, () => {
  const shutdown = readFileSync(join(root, "kit/src/shutdown.ts"), "utf8");
  const [, drainMs] = /deadlineMs = ([\d_]+)/.exec(shutdown) ?? [];
  const drainSeconds = Number(drainMs?.replace("_", "")) / 1000;
  for (const deployment of everywhere("Deployment")) {
    const { seconds } = containerOf(deployment).lifecycle.preStop.sleep;
    const grace = deployment.spec?.template?.spec.terminationGracePeriodSeconds ?? 0;
    assert.ok(
      grace >= seconds + drainSeconds,
      `${grace} s are less than ${seconds} + ${drainSeconds}`,
    );
  }
});

test("what selects pods selects those of its process, and no Job's", { skip }, () => {
  for (const path of overlays) {
    for (const name of processes) {
      const pods = labelsOf(find(path, "Deployment", name));
      const selectors = ["Deployment", "Service", "PodDisruptionBudget"].map((kind) => {
        const { selector } = find(path, kind, name).spec ?? {};
        return selector?.matchLabels ?? selector ?? {};
      });
      for (const selector of selectors) {
        assert.ok(selects(selector, pods), `${path}: ${name}`);
        const others = [...objectsOf(path, "Deployment"), ...jobs()].map(labelsOf);
        assert.equal(others.filter((labels) => selects(selector, labels)).length, 1);
      }
    }
    for (const { spec } of objectsOf(path, "HorizontalPodAutoscaler"))
      assert.ok(find(path, spec?.scaleTargetRef?.kind ?? "", spec?.scaleTargetRef?.name ?? ""));
    for (const { metadata, spec } of [
      ...objectsOf(path, "NetworkPolicy"),
      ...objectsOf(path, "PodMonitor"),
    ]) {
      const selector = spec?.podSelector?.matchLabels ?? spec?.selector?.matchLabels ?? {};
      const chosen = objectsOf(path, "Deployment").filter((one) =>
        selects(selector, labelsOf(one)),
      );
      assert.equal(chosen.length, processes.includes(metadata.name) ? 1 : 3, metadata.name);
    }
  }
});

test("production has as many pods as its autoscalers say, and is watched", { skip }, () => {
  for (const name of processes) {
    assert.equal(find("overlays/production", "Deployment", name).spec?.replicas, undefined);
    assert.ok(find("overlays/production", "HorizontalPodAutoscaler", name));
  }
  assert.equal(objectsOf("overlays/production", "PodMonitor").length, 1);
  const committed = readFileSync(join(root, prometheusRuleFile), "utf8");
  assert.equal(committed, prometheusRule(), "run npm run dashboards");
});

test("images are those that compose.yaml builds; production has them from a registry, of this version", {
  skip,
}, () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const [path, { objects }] of reports)
    for (const object of objects.filter(({ spec }) => spec?.template !== undefined)) {
      const name = labelsOf(object)["app.kubernetes.io/name"] ?? "";
      const built = compose[name]?.image ?? "";
      const expected = path.includes("production")
        ? `registry.example.com/3l1/${name}:${version}`
        : path.includes("single")
          ? built
          : built.replace(/:.*/, "");
      assert.equal(containerOf(object).image, expected);
    }
});

test("migrations run what is in the image, with the one secret that they need", {
  skip,
}, async () => {
  for (const job of jobs()) {
    const name = labelsOf(job)["app.kubernetes.io/name"] ?? "";
    const { command, env = [] } = containerOf(job);
    assert.deepEqual(command, ["node", "src/run-migrations.js"]);
    assert.ok(existsSync(join(root, name, "src/run-migrations.ts")));
    await requireSettings(
      name,
      env.map((one) => one.name.replace(/_FILE$/, "")),
    );
    assert.equal(env.length, 1);
  }
});

function find(path: string, kind: string, name: string): KubernetesObject {
  const found = objectsOf(path, kind).find(({ metadata }) => metadata.name === name);
  assert.ok(found, `${path} has no ${kind} ${name}`);
  return found;
}

function containerOf({ spec }: KubernetesObject): Container {
  const [container] = spec?.template?.spec.containers ?? [];
  assert.ok(container);
  return container;
}

function labelsOf({ spec }: KubernetesObject): Labels {
  return spec?.template?.metadata.labels ?? {};
}

function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** A generated name ends with a hash. */
function processOf(configMap: string): string {
  return configMap.replace(/-[a-z0-9]{10}$/, "");
}

async function requireSettings(process: string, given: readonly string[]): Promise<void> {
  const settings = Object.keys(await settingsOf(process));
  const unknown = given.filter((key) => !settings.includes(key.replace(/_FILE$/, "")));
  assert.deepEqual(unknown, [], `not in ${process}/src/config.ts`);
}

async function settingsOf(
  process: string,
): Promise<Record<string, { readonly default?: unknown }>> {
  return (await import(pathToFileURL(join(root, process, "src/config.ts")).href)).settings;
}
