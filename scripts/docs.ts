// `npm run docs` writes what documents have from the code: the table of settings in docs/operations.md, and
// docs/metrics.md, for which it starts a platform of its own.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { startPlatform } from "../dev/own-platform.ts";
import { familiesIn, scrape, useEverything } from "../e2e/deploy/scrape.ts";
import { catalogueFile, metricsCatalogue } from "./metrics-catalogue.ts";
import { root } from "./run.ts";
import { operationsFile, operationsWithSettings } from "./settings-table.ts";

await writeFile(join(root, operationsFile), operationsWithSettings());
const platform = await startPlatform();
try {
  await useEverything(platform.gatewayUrl);
  const families = familiesIn(await scrape(platform));
  await writeFile(join(root, catalogueFile), metricsCatalogue(families));
} finally {
  await platform.stop();
}
