import { readFileSync } from "node:fs";
import { join } from "node:path";
import { settings as gateway } from "../gateway/src/config.ts";
import type { Settings } from "../kit/src/config.ts";
import { settings as orderService } from "../order-service/src/config.ts";
import { settings as userService } from "../user-service/src/config.ts";
import { root } from "./run.ts";

/** From the repository's folder. */
export const operationsFile = "docs/operations.md";

const begin = "<!-- Written by `npm run docs` from the config.ts of the processes. -->";
const end = "<!-- Until here. -->";

/** docs/operations.md, with its table of settings as the processes declare them now. */
export function operationsWithSettings(): string {
  const text = readFileSync(join(root, operationsFile), "utf8");
  const [before, rest = ""] = text.split(begin);
  const [, after] = rest.split(end);
  if (after === undefined) throw new Error(`${operationsFile} has no place for the settings`);
  return `${before}${begin}\n\n${settingsTable()}\n\n${end}${after}`;
}

function settingsTable(): string {
  const processes: Record<string, Settings> = {
    gateway,
    "user-service": userService,
    "order-service": orderService,
  };
  const names = new Set(Object.values(processes).flatMap((settings) => Object.keys(settings)));
  const rows = [...names].map((name) => {
    const owners = Object.entries(processes).filter(([, settings]) => name in settings);
    const specs = owners.flatMap(([, settings]) => settings[name] ?? []);
    const defaults = new Set(specs.map(defaultOf));
    const [spec] = specs;
    const choices = spec?.choices ? `; one of ${spec.choices.join(", ")}` : "";
    const where = owners.length === 3 ? "all" : owners.map(([process]) => process).join(", ");
    return `| \`${name}\` | ${[...defaults].join(" or ")} | ${where} | ${spec?.desc}${choices} |`;
  });
  return ["| variable | default | for | meaning |", "|---|---|---|---|", ...rows].join("\n");
}

/** As one would write it into the environment. */
function defaultOf(spec: Settings[string]): string {
  if (!("default" in spec)) return "**required**";
  const text = Array.isArray(spec.default) ? spec.default.join(",") : String(spec.default ?? "");
  return text === "" ? "" : `\`${text}\``;
}
