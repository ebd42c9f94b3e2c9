import {
  type Dashboard,
  FieldColorModeId,
  type FieldConfig,
  MappingType,
  type Panel,
  type RowPanel,
  ThresholdsMode,
} from "@grafana/schema";

/** A dashboard as we write it down. `npm run dashboards` makes Grafana's JSON of it. */
export interface DashboardDescription {
  /** Its file name and its address in Grafana. */
  readonly uid: string;
  readonly title: string;
  readonly rows: readonly RowDescription[];
}

/** A question that an operator asks, and what answers it. */
export interface RowDescription {
  readonly question: string;
  readonly panels: readonly PanelDescription[];
}

export interface PanelDescription {
  readonly title: string;
  /** What a value means, where the title does not say it. */
  readonly meaning?: string;
  /** Default: a graph over time. */
  readonly kind?: "graph" | "number" | "states";
  /** Grafana's name of the unit. */
  readonly unit: Unit;
  /** PromQL by legend. `{{label}}` in a legend is that label's value. */
  readonly queries: Readonly<Record<string, string>>;
  /** Values from which it is yellow, and red; or, when it is bad to have less, below which. */
  readonly limits?: { readonly warn: number; readonly bad: number; readonly below?: boolean };
  /** Names of values, for `states` and numbers. */
  readonly names?: Readonly<Record<number, string>>;
}

type Unit = "none" | "reqps" | "ops" | "percentunit" | "s" | "bytes";

const panelTypes = { graph: "timeseries", number: "stat", states: "state-timeline" } as const;
const gridWidth = 24;
const panelHeight = 7;
/** More than that in a line cannot be read on a laptop. */
const maxPanelsInLine = 4;

/** Grafana's JSON of a dashboard. */
export function toGrafana({ uid, title, rows }: DashboardDescription): Dashboard {
  const panels: (Panel | RowPanel)[] = [];
  let y = 0;
  for (const { question, panels: described } of rows) {
    panels.push(rowPanel(panels.length + 1, question, y++));
    const width = gridWidth / Math.min(described.length, maxPanelsInLine);
    for (const [index, description] of described.entries()) {
      const line = Math.floor(index / maxPanelsInLine);
      const x = (index % maxPanelsInLine) * width;
      const gridPos = { x, y: y + line * panelHeight, w: width, h: panelHeight };
      panels.push({ ...panel(description), id: panels.length + 1, gridPos });
    }
    y += Math.ceil(described.length / maxPanelsInLine) * panelHeight;
  }
  return {
    uid,
    title,
    tags: ["3l1"],
    editable: false,
    schemaVersion: 41,
    time: { from: "now-1h", to: "now" },
    refresh: "30s",
    links: [
      {
        ...{ type: "dashboards", title: "Dashboards", tags: ["3l1"], asDropdown: true },
        ...{
          icon: "",
          includeVars: false,
          keepTime: true,
          targetBlank: false,
          tooltip: "",
          url: "",
        },
      },
    ],
    panels,
  };
}

function rowPanel(id: number, title: string, y: number): RowPanel {
  return {
    ...{ id, type: "row", title, collapsed: false, panels: [] },
    gridPos: { x: 0, y, w: gridWidth, h: 1 },
  };
}

function panel(description: PanelDescription): Panel {
  const { title, meaning = "", kind = "graph", queries } = description;
  const datasource = { type: "prometheus", uid: "prometheus" };
  const isNumber = kind === "number";
  return {
    type: panelTypes[kind],
    title,
    ...(meaning && { description: meaning }),
    datasource,
    targets: Object.entries(queries).map(([legendFormat, expr], index) => {
      const refId = String.fromCharCode("A".charCodeAt(0) + index);
      return { refId, datasource, expr, legendFormat, instant: isNumber, range: !isNumber };
    }),
    fieldConfig: { defaults: fieldsOf(description), overrides: [] },
    options: isNumber
      ? { reduceOptions: { calcs: ["lastNotNull"], fields: "", values: false }, graphMode: "none" }
      : { legend: { displayMode: "list", placement: "bottom", showLegend: true } },
  };
}

function fieldsOf({ unit, limits, names, kind = "graph" }: PanelDescription): FieldConfig {
  const isGraph = kind === "graph";
  return {
    unit,
    ...(isGraph && { min: 0 }),
    ...(names && { mappings: [{ type: MappingType.ValueToText, options: texts(names) }] }),
    thresholds: { mode: ThresholdsMode.Absolute, steps: stepsOf(limits) },
    color: { mode: isGraph ? FieldColorModeId.PaletteClassic : FieldColorModeId.Thresholds },
    ...(isGraph && {
      custom: { fillOpacity: 8, thresholdsStyle: { mode: limits ? "dashed" : "off" } },
    }),
  };
}

function stepsOf(limits: PanelDescription["limits"]) {
  // JSON has no -Infinity; null is what Grafana writes for the lowest step.
  const from = (value: number | null, color: string) => ({ value: value as number, color });
  if (limits === undefined) return [from(null, "green")];
  const { warn, bad, below = false } = limits;
  return below
    ? [from(null, "red"), from(bad, "yellow"), from(warn, "green")]
    : [from(null, "green"), from(warn, "yellow"), from(bad, "red")];
}

function texts(names: Readonly<Record<number, string>>) {
  return Object.fromEntries(Object.entries(names).map(([value, text]) => [value, { text }]));
}
