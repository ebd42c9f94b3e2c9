// `npm run dashboards` writes Grafana's JSON of monitoring/dashboards.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { dashboardFiles } from "../monitoring/dashboards/all.ts";
import { root } from "./run.ts";

const folder = join(root, "monitoring/grafana/dashboards");

await rm(folder, { recursive: true, force: true });
await mkdir(folder);
for (const [name, text] of dashboardFiles()) await writeFile(join(folder, name), text);
