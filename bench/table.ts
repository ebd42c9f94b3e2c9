import type { Figures } from "./figures.ts";
import { type Goal, isReached } from "./goals.ts";

/** The figures for a terminal. */
export function figuresTable(figures: readonly Figures[]): string {
  const header = [
    ["", "requests", "latency", "", "CPU ms a request", "", "", "peak MiB", ""],
    ["", "a second", "p50 ms", "p99 ms", "gateway", "service", "sum", "gateway", "service"],
  ];
  return alignColumns([...header, ...figures.map(rowOf)]);
}

/** The goals for a terminal. */
export function goalsTable(goals: readonly Goal[]): string {
  return alignColumns(
    goals.map((goal) => {
      const { title, value, atMost, unit, isDecisive } = goal;
      const digits = unit === "MiB" ? 0 : 3;
      const verdict = isReached(goal) ? "reached" : isDecisive ? "MISSED" : "missed, fails no run";
      const show = (number: number) => `${number.toFixed(digits)}${unit && ` ${unit}`}`;
      return [title, show(value), `≤ ${show(atMost)}`, verdict];
    }),
  );
}

function rowOf(figures: Figures): string[] {
  const { title, requestsPerSecond, p50Ms, p99Ms, cpuMs, totalCpuMs, peakRssMiB } = figures;
  const optional = (value: number | undefined, digits: number) => value?.toFixed(digits) ?? "–";
  return [
    title,
    requestsPerSecond.toFixed(0),
    p50Ms.toFixed(1),
    p99Ms.toFixed(1),
    optional(cpuMs.gateway, 3),
    optional(cpuMs.service, 3),
    totalCpuMs.toFixed(3),
    optional(peakRssMiB.gateway, 0),
    optional(peakRssMiB.service, 0),
  ];
}

/** The first column to the left, the others to the right. */
function alignColumns(rows: readonly (readonly string[])[]): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, column) =>
    Math.max(...rows.map((row) => row[column]?.length ?? 0)),
  );
  const pad = (cell: string, column: number) => {
    const width = widths[column] ?? 0;
    return column === 0 ? cell.padEnd(width) : cell.padStart(width);
  };
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}
