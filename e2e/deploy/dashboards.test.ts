import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { parse, stringify } from "yaml";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { freePorts } from "../../dev/ports.ts";
import { dashboardFiles, dashboards } from "../../monitoring/dashboards/all.ts";
import { catalogueFile, metricsCatalogue } from "../../scripts/metrics-catalogue.ts";
import { root } from "../../scripts/run.ts";
import { differences } from "../../scripts/same-files.ts";
import { readComposeFile } from "./compose-file.ts";
import { findPrometheus } from "./prometheus-programs.ts";
import { metricsOfPrometheus, queriesOfDashboards, queriesOfRules, selectorsIn } from "./promql.ts";
import { familiesIn, scrape, useEverything } from "./scrape.ts";

/** What a platform that is well has nothing of. */
const rarely = /5\.\.|429|unavailable|ALERTS/;

const queries = [...queriesOfDashboards(), ...queriesOfRules()];
const programs = await findPrometheus();
const skip = typeof programs === "string" ? programs : false;
let platform: Platform;
let pages: ReadonlyMap<string, string>;
/** Labels by the name of a metric that has them. */
const scraped = new Map<string, Set<string>>();

before(async () => {
  platform = await startPlatform();
  await useEverything(platform.gatewayUrl);
  pages = await scrape(platform);
  for (const text of pages.values()) readExposition(text);
});
after(() => platform?.stop());

async function services() {
  const { gateway, userService, orderService } = await platform.now();
  return [gateway, userService, orderService];
}

function readExposition(text: string): void {
  for (const [, type = ""] of text.matchAll(/^# TYPE (\S+) counter$/gm))
    scraped.set(type, new Set());
  for (const [, name = "", labels = ""] of text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? /gm)) {
    const known = scraped.get(name) ?? new Set();
    for (const [, label = ""] of labels.matchAll(/(?:^|,)(\w+)="/g)) known.add(label);
    scraped.set(name, known);
  }
}

test("every query is PromQL", () => {
  for (const { query } of queries) assert.ok(selectorsIn(query).length > 0, query);
});

test("every query reads metrics and labels that the platform has", () => {
  const others = new Set(metricsOfPrometheus());
  for (const { where, query } of queries)
    for (const { metric, labels } of selectorsIn(query)) {
      if (others.has(metric)) continue;
      const known = scraped.get(metric);
      assert.ok(known, `${where}: no process has ${metric}`);
      for (const label of labels)
        assert.ok(label === "job" || known.size === 0 || known.has(label), `${where}: ${label}`);
    }
});

// What a system tells of its processes differs; the catalogue is Linux'.
const elsewhere = process.platform === "linux" ? false : "the catalogue is written on Linux";

test("the catalogue has every metric that the processes have, and no other", {
  skip: elsewhere,
}, () => {
  const committed = readFileSync(join(root, catalogueFile), "utf8");
  assert.equal(committed, metricsCatalogue(familiesIn(pages)), "run npm run docs");
});

test("every counter has a sample from the start, so that a rate sees its first event", () => {
  for (const text of pages.values())
    for (const [, name = ""] of text.matchAll(/^# TYPE (\S+) counter\n(?=#|$)/gm))
      assert.fail(`${name} has none`);
});

test("the files for Grafana are those of the descriptions", async () => {
  const stale = await differences(join(root, "monitoring/grafana/dashboards"), dashboardFiles());
  assert.deepEqual(stale, [], "run npm run dashboards");
});

test("Grafana's schema, its image and its files agree", () => {
  const { services } = readComposeFile();
  const manifest = join(root, "node_modules/@grafana/schema/package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  assert.equal(services.grafana?.image, `grafana/grafana:${version}`);
  const home = services.grafana?.environment?.GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH;
  assert.equal(home, `/etc/grafana/dashboards/${dashboards[0]?.uid}.json`);
});

test("a Prometheus with our rules answers every query with data", { skip }, async (t) => {
  if (typeof programs === "string") return;
  const folder = await mkdtemp(join(tmpdir(), "3l1-prometheus-"));
  const [port = 0] = await freePorts(1);
  await writeFile(join(folder, "prometheus.yml"), await configurationFor(await services()));
  const options = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`];
  const address = `127.0.0.1:${port}`;
  const child = spawn(programs.prometheus, [...options, `--web.listen-address=${address}`], {
    stdio: "ignore",
  });
  t.after(async () => {
    const ended = new Promise((resolve) => child.once("close", resolve));
    child.kill();
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const ask = (query: string) => answerOf(address, query);
  const counted = "http_request_duration_seconds_count";
  await waitFor("a scrape", async () => (await ask(counted).catch(() => [])).length > 0);
  await useEverything(platform.gatewayUrl);
  await waitFor("another", async () => (await ask(`rate(${counted}[1m]) > 0`)).length > 0);
  await waitFor("a rule", async () => (await ask("gateway:error_ratio:rate3d")).length > 0);
  for (const { where, query } of queriesOfDashboards())
    if (!rarely.test(query))
      await waitFor(`data for ${where}: ${query}`, async () => (await ask(query)).length > 0);
  for (const { query } of queriesOfRules()) await ask(query);
});

/** The configuration of compose.yaml, but for where the processes are, and that looks more often. */
async function configurationFor(
  running: readonly { readonly adminUrl: string }[],
): Promise<string> {
  const text = readFileSync(join(root, "monitoring/prometheus.yml"), "utf8");
  const { global, scrape_configs } = parse(text);
  const jobs = scrape_configs
    .slice(0, 3)
    .map(({ job_name }: { job_name: string }, index: number) => ({
      job_name,
      static_configs: [{ targets: [new URL(running[index]?.adminUrl ?? "").host] }],
    }));
  return stringify({
    global: { ...global, scrape_interval: "1s", scrape_timeout: "1s", evaluation_interval: "1s" },
    rule_files: [join(root, "monitoring/rules/*.yml")],
    scrape_configs: jobs,
  });
}

async function answerOf(address: string, query: string): Promise<unknown[]> {
  const url = `http://${address}/api/v1/query?query=${encodeURIComponent(query)}`;
  const answer = (await (await fetch(url)).json()) as {
    readonly status: string;
    readonly error?: string;
    readonly data: { readonly result: unknown[] };
  };
  assert.equal(answer.status, "success", `${query}: ${answer.error}`);
  return answer.data.result;
}
