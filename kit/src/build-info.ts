import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Gauge, type Registry } from "@prometheus-io/client";

/** Shows what is running, as `build_info`: always 1, with the version of the platform and of Node.js. */
export function showBuild(registry: Registry): void {
  const manifest = readFileSync(join(import.meta.dirname, "../package.json"), "utf8");
  const { version } = JSON.parse(manifest) as { version: string };
  new Gauge({
    name: "build_info",
    help: "What is running; always 1",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version, node: process.version }, 1);
}
