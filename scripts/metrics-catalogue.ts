import type { MetricFamily } from "../e2e/deploy/scrape.ts";

/** From the repository's folder. */
export const catalogueFile = "docs/metrics.md";

/** Node.js' own, whose samples come and go. */
const labelsOfNode: Readonly<Record<string, readonly string[]>> = {
  nodejs_active_handles: ["type"],
  nodejs_active_requests: ["type"],
  nodejs_active_resources: ["type"],
  nodejs_gc_duration_seconds: ["kind"],
};

/** All metrics of the platform as a page of docs/. */
export function metricsCatalogue(families: readonly MetricFamily[]): string {
  const isOfNode = ({ name }: MetricFamily) =>
    /^(nodejs|process)_/.test(name) && name !== "process_ready";
  return `# Metrics

What the processes show on \`/metrics\` of their admin ports. Written by \`npm run docs\` from a running platform; \`npm test\`
holds it against another one. Each has the label \`service\` besides, and Prometheus adds \`job\` and \`instance\`. A label has
few values: routes are templates or \`unmatched\`, methods those of the schema, and nothing that a client makes up is one.

What they are for: [dashboards](../monitoring/grafana), [alerts](../monitoring/rules), [runbooks](../monitoring/runbooks.md).

## Of the platform

${table(families.filter((family) => !isOfNode(family)))}

## Of Node.js

${table(families.filter(isOfNode))}
`;
}

function table(families: readonly MetricFamily[]): string {
  const rows = families.map(({ name, type, help, processes, ...family }) => {
    const labels = labelsOfNode[name] ?? family.labels;
    const where = processes.length === 3 ? "all" : processes.join(", ");
    return `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(", ")} | ${where} | ${help.replaceAll("|", "\\|")} |`;
  });
  return ["| name | type | labels | of | meaning |", "|---|---|---|---|---|", ...rows].join("\n");
}
