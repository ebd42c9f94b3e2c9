import { type DashboardDescription, toGrafana } from "./dashboard.ts";
import { overview } from "./overview.ts";
import { services } from "./services.ts";

/** All dashboards. */
export const dashboards: readonly DashboardDescription[] = [overview, ...services];

/** The files for Grafana, by name. */
export function dashboardFiles(): Map<string, string> {
  return new Map(
    dashboards.map((description) => [
      `${description.uid}.json`,
      `${JSON.stringify(toGrafana(description), null, 1)}\n`,
    ]),
  );
}
