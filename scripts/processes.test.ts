import assert from "node:assert/strict";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { services } from "./checks.ts";
import { root } from "./run.ts";

/*
 * Lists that have to name every process. Where one is left out of them nothing fails, it is only not checked,
 * tested, shipped or watched.
 */
const lists = [
  "pnpm-workspace.yaml",
  "tsconfig.json",
  "biome.json",
  ".dockerignore",
  "compose.yaml",
  "dev/settings.ts",
  "dev/logs.ts",
  "scripts/test.ts",
  "scripts/settings-table.ts",
  "scripts/shipped-packages.ts",
  "e2e/scratch-copy.ts",
  "e2e/deploy/scrape.ts",
  "e2e/deploy/images.test.ts",
  "e2e/deploy/kubernetes.test.ts",
  "monitoring/prometheus.yml",
  "monitoring/rules/alerts.yml",
  "monitoring/dashboards/services.ts",
  "deploy/compose/make-secrets.mts",
  "deploy/kubernetes/base/kustomization.yaml",
  "deploy/kubernetes/base/network-policies.yaml",
  "deploy/kubernetes/overlays/single/kustomization.yaml",
  "deploy/kubernetes/overlays/production/autoscalers.yaml",
  "deploy/kubernetes/overlays/production/images/kustomization.yaml",
];

/** And those that have to name every process with a database; its own name there has a `_`. */
const databaseLists = ["deploy/kubernetes/migrations/kustomization.yaml"];
const databases = [
  "dev/postgres.ts",
  "dev/postgres-cluster.ts",
  "deploy/compose/create-databases.sql",
  "deploy/pgbouncer/pgbouncer.ini",
];

const advice = "docs/add-a-service.md has the whole list";

function requireNames(files: readonly string[], name: string): void {
  const silent = files.filter((file) => !readFileSync(join(root, file), "utf8").includes(name));
  assert.deepEqual(silent, [], `these do not name ${name}; ${advice}`);
}

test("every process is named wherever all are", () => {
  const processes = globSync("*/src/main.ts", { cwd: root }).map(
    (file) => file.split("/")[0] ?? "",
  );
  assert.ok(processes.includes("gateway"));
  for (const name of processes) requireNames(lists, name);
});

test("a process with migrations has its database everywhere", () => {
  const found = globSync("*/migrations/meta/_journal.json", { cwd: root });
  const withDatabase = found.map((file) => file.split("/")[0] ?? "");
  assert.deepEqual(
    withDatabase.sort(),
    services.toSorted(),
    `services in scripts/checks.ts; ${advice}`,
  );
  for (const name of services) {
    requireNames(databaseLists, name);
    requireNames(databases, name.replace("-", "_"));
  }
});

test("how to add a service names every list", () => {
  const text = readFileSync(join(root, "docs/add-a-service.md"), "utf8");
  for (const file of [...lists, ...databaseLists, ...databases])
    assert.ok(text.includes(`\`${file}\``) && existsSync(join(root, file)), file);
});
