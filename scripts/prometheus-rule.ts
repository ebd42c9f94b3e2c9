import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { root } from "./run.ts";

/** Where {@link prometheusRule} goes, from the repository's folder. */
export const prometheusRuleFile = "deploy/kubernetes/components/prometheus-operator/rules.yaml";

/** The rules of monitoring/rules as the Prometheus Operator takes them. kustomize reads no files from outside. */
export function prometheusRule(): string {
  const groups = ["objectives", "alerts"].flatMap(
    (name) => parse(readFileSync(join(root, `monitoring/rules/${name}.yml`), "utf8")).groups,
  );
  const rule = {
    apiVersion: "monitoring.coreos.com/v1",
    kind: "PrometheusRule",
    metadata: { name: "3l1", labels: { "app.kubernetes.io/part-of": "3l1" } },
    spec: { groups },
  };
  return `# Written by \`npm run dashboards\` from monitoring/rules; change it there.\n${stringify(rule, { lineWidth: 0 })}`;
}
