import type { BreakerSnapshot } from "@3l1/kit/resilience/breaker.ts";

/** The breaker of an upstream, as a gateway's admin port shows it. */
export async function breakerOf(adminUrl: string, upstream: string): Promise<BreakerSnapshot> {
  const breakers = await (await fetch(`${adminUrl}/breakers`)).json();
  return (breakers as Record<string, BreakerSnapshot>)[upstream] as BreakerSnapshot;
}

/** The sum of a metric's samples that carry all of these labels. */
export async function metricOf(
  adminUrl: string,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const samples = text.split("\n").filter((line) => line.startsWith(`${name}{`));
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return samples
    .filter((sample) => wanted.every((label) => sample.includes(label)))
    .reduce((sum, sample) => sum + Number(sample.slice(sample.lastIndexOf(" "))), 0);
}
