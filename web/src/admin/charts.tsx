import type { ComponentChildren } from "preact";

export interface Series {
  readonly values: readonly number[];
  /** How it is drawn: `plain`, `warn`, `bad` or `faint`. */
  readonly tone: "plain" | "warn" | "bad" | "faint";
}

export interface ChartProps {
  /** Says in words what the picture shows. */
  readonly label: string;
  readonly series: readonly Series[];
  /** So many samples are as wide as the picture. */
  readonly slots?: number;
  /** What is as high as the picture. Default: the highest value. */
  readonly max?: number;
}

const width = 240;
const height = 40;
/** A line of 1.5 must not be cut at the edge. */
const margin = 1;
const defaultSlots = 60;

/** Bars, one a sample, the series on top of each other; the latest stand on the right. */
export function Bars({ label, series, slots = defaultSlots, max }: ChartProps) {
  const count = series[0]?.values.length ?? 0;
  const sums = Array.from({ length: count }, (_, index) =>
    series.reduce((sum, { values }) => sum + (values[index] ?? 0), 0),
  );
  const scale = (height - margin) / (max ?? Math.max(1, ...sums));
  const step = width / slots;
  const below = sums.map(() => 0);
  return (
    <Picture label={label}>
      {series.map(({ values, tone }) => (
        <path
          key={tone}
          class={`area ${tone}`}
          d={values
            .map((value, index) => {
              const high = value * scale;
              const x = width - (count - index) * step;
              const y = height - (below[index] ?? 0) - high;
              below[index] = (below[index] ?? 0) + high;
              return high === 0 ? "" : rectangle(x + 0.4, y, step - 0.8, high);
            })
            .join("")}
        />
      ))}
    </Picture>
  );
}

/** Lines over time; the latest values are on the right. */
export function Lines({ label, series, slots = defaultSlots, max }: ChartProps) {
  const top = max ?? Math.max(1e-6, ...series.flatMap(({ values }) => values));
  const scale = (height - 2 * margin) / top;
  const step = width / (slots - 1);
  return (
    <Picture label={label}>
      {series.map(({ values, tone }) => (
        <path
          key={tone}
          class={`line ${tone}`}
          d={values
            .map((value, index) => {
              const x = width - (values.length - 1 - index) * step;
              return `${index === 0 ? "M" : "L"}${round(x)} ${round(height - margin - value * scale)}`;
            })
            .join("")}
        />
      ))}
    </Picture>
  );
}

function Picture({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <svg
      class="chart"
      viewBox={`0 0 ${width} ${height}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="ground" d={`M0 ${height - 0.5}H${width}`} />
      {children}
    </svg>
  );
}

export interface MeterProps {
  readonly label: string;
  readonly value: number;
  readonly max: number;
  /** What stands beside the bar. Default: `value of max`. */
  readonly text?: string;
}

/** How much of what there is. It warns from four fifths on. */
export function Meter({ label, value, max, text = `${value} of ${max}` }: MeterProps) {
  const share = max > 0 ? Math.min(1, value / max) : 0;
  return (
    <div class="meter">
      <span>{label}</span>
      <svg viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
        <path class="ground" d="M0 3H100" />
        {share > 0 && <path class={share > 0.8 ? "fill bad" : "fill"} d={`M0 3H${share * 100}`} />}
      </svg>
      <span class="number">{text}</span>
    </div>
  );
}

function rectangle(x: number, y: number, w: number, h: number): string {
  return `M${round(x)} ${round(y)}h${round(w)}v${round(h)}h${round(-w)}z`;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
