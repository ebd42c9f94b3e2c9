import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parser } from "@prometheus-io/lezer-promql";
import { parse } from "yaml";
import { dashboards } from "../../monitoring/dashboards/all.ts";
import { root } from "../../scripts/run.ts";

/** A query, and where it stands. */
export interface NamedQuery {
  readonly where: string;
  readonly query: string;
}

/** What a query reads: a metric, and the labels by which it chooses. */
export interface Selector {
  readonly metric: string;
  readonly labels: readonly string[];
}

/**
 * Parses a query.
 *
 * @throws when it is no PromQL
 */
export function selectorsIn(query: string): Selector[] {
  const selectors: { metric: string; labels: string[] }[] = [];
  parser.parse(query).iterate({
    enter(node) {
      const text = query.slice(node.from, node.to);
      if (node.type.isError) throw new Error(`no PromQL at ${node.from}: ${query}`);
      if (node.name === "VectorSelector") selectors.push({ metric: "", labels: [] });
      const selector = selectors.at(-1);
      if (node.name === "Identifier" && selector?.metric === "") selector.metric = text;
      if (node.name === "LabelName" && node.node.parent?.name.endsWith("LabelMatcher"))
        selector?.labels.push(text);
    },
  });
  return selectors;
}

/** Every query of the dashboards, with values for Grafana's own variables. */
export function queriesOfDashboards(): NamedQuery[] {
  return dashboards.flatMap(({ title, rows }) =>
    rows.flatMap(({ panels }) =>
      panels.flatMap((panel) =>
        Object.values(panel.queries).map((query) => ({
          where: `${title}: ${panel.title}`,
          query: query.replaceAll("$__rate_interval", "1m"),
        })),
      ),
    ),
  );
}

interface Rule {
  readonly expr: string;
  readonly alert?: string;
  readonly record?: string;
}

/** Every query of the rules. */
export function queriesOfRules(): NamedQuery[] {
  return rules().map(({ expr, alert, record = "" }) => ({ where: alert ?? record, query: expr }));
}

/** What Prometheus adds to what it scrapes: its own metrics, and those of the recording rules. */
export function metricsOfPrometheus(): string[] {
  return ["up", "ALERTS", ...rules().flatMap(({ record }) => record ?? [])];
}

function rules(): Rule[] {
  return ["objectives", "alerts"].flatMap((name) => {
    const text = readFileSync(join(root, `monitoring/rules/${name}.yml`), "utf8");
    return parse(text).groups.flatMap((group: { rules: Rule[] }) => group.rules);
  });
}
