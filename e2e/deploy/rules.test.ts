import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { root, run } from "../../scripts/run.ts";
import { findPrometheus } from "./prometheus-programs.ts";

interface Alert {
  readonly alert: string;
  readonly labels: { readonly severity: string };
  readonly annotations: { readonly summary: string; readonly runbook: string };
}

const monitoring = join(root, "monitoring");
const read = (path: string) => readFileSync(join(monitoring, path), "utf8");
const alerts: Alert[] = parse(read("rules/alerts.yml")).groups.flatMap(
  (group: { rules: Alert[] }) => group.rules,
);
const tests = globSync("tests/*.test.yml", { cwd: monitoring });
const programs = await findPrometheus();
const skip = typeof programs === "string" ? programs : false;
const promtool = typeof programs === "string" ? "" : programs.promtool;

test("Prometheus takes the configuration, and the rules with it", { skip }, async () => {
  const report = await run(promtool, ["check", "config", join(monitoring, "prometheus.yml")]);
  assert.match(report, /2 rule files found/);
});

test("every alert fires when it should, and no sooner", { skip }, async () => {
  await run(promtool, ["test", "rules", ...tests.map((path) => join(monitoring, path))]);
});

test("groups are evaluated in an order where a rule reads another's ratio", () => {
  const names = (path: string) =>
    parse(read(path)).groups.map(({ name }: { name: string }) => name);
  const all = ["rules/objectives.yml", "rules/alerts.yml"].flatMap(names);
  assert.deepEqual(all, [...new Set(all)], "promtool orders groups by their names");
  for (const { rule_files, group_eval_order } of tests.map((path) => parse(read(path))))
    if (rule_files.length > 1) assert.deepEqual(group_eval_order, ["objectives", "budgets"]);
});

test("every alert has a test in which it fires", () => {
  const fired = tests.flatMap((path) => parse(read(path)).tests).flatMap(firingIn);
  assert.deepEqual([...new Set(fired)].toSorted(), alerts.map(({ alert }) => alert).toSorted());
});

test("every alert says how urgent it is, and where to read what to do; no runbook is left over", () => {
  const sections = [...read("runbooks.md").matchAll(/^## (.*)$/gm)].map(([, title]) => title);
  assert.deepEqual(
    sections,
    alerts.map(({ alert }) => alert),
  );
  for (const { alert, labels, annotations } of alerts) {
    assert.match(labels.severity, /^(page|ticket)$/);
    assert.equal(annotations.runbook, `monitoring/runbooks.md#${alert.toLowerCase()}`);
    assert.ok(annotations.summary.length > 0);
  }
});

interface RuleTest {
  readonly alert_rule_test?: readonly { alertname: string; exp_alerts: readonly unknown[] }[];
}

function firingIn({ alert_rule_test = [] }: RuleTest): string[] {
  return alert_rule_test.filter((one) => one.exp_alerts.length > 0).map((one) => one.alertname);
}
