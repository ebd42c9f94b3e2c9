import type { Figures } from "./figures.ts";

const labelWidth = 290;
const barWidth = 400;
const rowHeight = 30;
const barHeight = 18;
const top = 56;

/** A bar for each scenario: the CPU of a request, the gateway's and the service's part. */
export function chartOf(figures: readonly Figures[], caption: string): string {
  const longestMs = Math.max(...figures.map(({ totalCpuMs }) => totalCpuMs));
  const width = labelWidth + barWidth + 80;
  const height = top + figures.length * rowHeight + 8;
  const rows = figures.map((each, row) => barOf(each, top + row * rowHeight, longestMs));
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${caption}">
<style>
text { font: 13px system-ui, sans-serif; fill: #24292f }
.gateway { fill: #3b7ddd }
.service { fill: #8bb8f0 }
.small { font-size: 12px }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
</style>
<text x="0" y="16">${caption}</text>
${keyOf("gateway", labelWidth)}${keyOf("service", labelWidth + 90)}
${rows.join("\n")}
</svg>
`;
}

function keyOf(process: string, x: number): string {
  return `<rect class="${process}" x="${x}" y="30" width="12" height="12"/><text class="small" x="${x + 18}" y="41">${process}</text>`;
}

function barOf({ title, cpuMs, totalCpuMs }: Figures, y: number, longestMs: number): string {
  const lengthOf = (ms: number) => (ms / longestMs) * barWidth;
  let x = labelWidth;
  const parts = (["gateway", "service"] as const).map((process) => {
    const length = lengthOf(cpuMs[process] ?? 0);
    const rect = `<rect class="${process}" x="${x.toFixed(1)}" y="${y}" width="${length.toFixed(1)}" height="${barHeight}"/>`;
    x += length;
    return rect;
  });
  const baseline = y + barHeight - 4;
  const label = `<text x="${labelWidth - 10}" y="${baseline}" text-anchor="end">${title}</text>`;
  const value = `<text class="small" x="${(x + 8).toFixed(1)}" y="${baseline}">${totalCpuMs.toFixed(3)}</text>`;
  return label + parts.join("") + value;
}
