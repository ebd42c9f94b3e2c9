// `npm run dashboards` writes what others read of monitoring/ in their own form: Grafana's JSON of the dashboards,
// and the rules for the Prometheus Operator.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dashboardFiles } from "../monitoring/dashboards/all.ts";
import { prometheusRule, prometheusRuleFile } from "./prometheus-rule.ts";
import { root } from "./run.ts";

const folder = join(root, "monitoring/grafana/dashboards");

await rm(folder, { recursive: true, force: true });
await mkdir(folder);
for (const [name, text] of dashboardFiles()) await writeFile(join(folder, name), text);
await writeFile(join(root, prometheusRuleFile), prometheusRule());
