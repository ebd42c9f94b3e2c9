import { existsSync } from "node:fs";
import { join } from "node:path";
import { fetchPackages } from "../../dev/debian-packages.ts";
import { root, run } from "../../scripts/run.ts";

/** Prometheus and its tool. */
export interface PrometheusPrograms {
  readonly prometheus: string;
  readonly promtool: string;
}

/**
 * Finds them on PATH, or in Debian's or Ubuntu's package, unpacked into a folder of ours and not installed.
 *
 * @returns why there are none, when there are none
 */
export async function findPrometheus(): Promise<PrometheusPrograms | string> {
  const installed = { prometheus: "prometheus", promtool: "promtool" };
  if (await works(installed)) return installed;
  const folder = join(root, "node_modules/.cache/prometheus");
  const bin = join(folder, "usr/bin");
  const fetched = { prometheus: join(bin, "prometheus"), promtool: join(bin, "promtool") };
  try {
    if (!existsSync(folder))
      await fetchPackages(["prometheus"], folder, AbortSignal.timeout(180_000));
  } catch (error) {
    return `promtool is not on PATH and cannot be fetched: ${(error as Error).message}`;
  }
  return (await works(fetched)) ? fetched : `promtool in ${folder} does not run here`;
}

function works({ promtool }: PrometheusPrograms): Promise<boolean> {
  return run(promtool, ["--version"], { timeoutMs: 10_000 }).then(
    () => true,
    () => false,
  );
}
