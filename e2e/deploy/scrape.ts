import type { Platform } from "../../dev/own-platform.ts";
import { Client, register } from "../client.ts";

/** A family of metrics, as the text format shows it. */
export interface MetricFamily {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  /** All that its samples have, but for `service`, and `le` of histograms. */
  readonly labels: readonly string[];
  /** Processes that have it. */
  readonly processes: readonly string[];
}

/** What each process answers on `/metrics`, by its name. */
export async function scrape(platform: Platform): Promise<Map<string, string>> {
  const { gateway, userService, orderService } = await platform.now();
  const pages = { gateway, "user-service": userService, "order-service": orderService };
  const texts = Object.entries(pages).map(async ([name, { adminUrl }]) => {
    const answer = await fetch(`${adminUrl}/metrics`);
    return [name, await answer.text()] as const;
  });
  return new Map(await Promise.all(texts));
}

/** A bit of everything that the metrics tell of. */
export async function useEverything(url: string): Promise<void> {
  const ann = await register(url);
  const items = [{ sku: "tea", quantity: 1, unitPriceMinor: 250 }];
  await ann.post("/api/orders/add", { items, currencyCode: "EUR" });
  await ann.get("/api/orders/list");
  await new Client(url).post("/api/users/log", { email: ann.email, password: "a wrong password" });
}

/** Reads Prometheus' text format, and puts together what several processes have. */
export function familiesIn(pages: ReadonlyMap<string, string>): MetricFamily[] {
  const families = new Map<
    string,
    { family: MetricFamily; labels: Set<string>; processes: Set<string> }
  >();
  for (const [process, text] of pages)
    for (const [, name = "", help = "", type = "", samples = ""] of text.matchAll(
      /^# HELP (\S+) (.*)\n# TYPE \S+ (\S+)\n((?:[^#\n].*\n)*)/gm,
    )) {
      const known = families.get(name) ?? { labels: new Set(), processes: new Set() };
      for (const [, label = ""] of samples.matchAll(/[{,](\w+)="/g)) known.labels.add(label);
      known.processes.add(process);
      const labels = [...known.labels].filter((label) => !/^(service|le)$/.test(label));
      const processes = [...known.processes];
      families.set(name, { ...known, family: { name, type, help, labels, processes } });
    }
  return [...families.values()]
    .map(({ family }) => family)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
}
