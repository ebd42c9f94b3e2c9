import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { root } from "../../scripts/run.ts";

/** What tests look at of a service in compose.yaml. */
export interface ComposeService {
  readonly image: string;
  readonly build?: { readonly context: string; readonly args: { readonly SERVICE: string } };
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly networks?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly [key: string]: unknown;
}

export interface ComposeFile {
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly networks: Readonly<Record<string, { readonly internal?: boolean }>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** Reads compose.yaml as `docker compose` does, with values of `env` for its variables. */
export function readComposeFile(env: Readonly<Record<string, string>> = {}): ComposeFile {
  const withValues = (_: unknown, value: unknown) =>
    typeof value === "string" ? interpolate(value, env) : value;
  return parse(composeText(), withValues, { merge: true });
}

export function composeText(): string {
  return readFileSync(join(root, "compose.yaml"), "utf8");
}

/** A mount `source:target[:ro]`. */
export function mountOf(volume: string) {
  const [source = "", target = "", mode = "rw"] = volume.split(":");
  return { source, target, mode };
}

/** `${NAME:-default}`, and `$$` for a dollar. */
function interpolate(text: string, env: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\$|\{(\w+):-([^}]*)\})/g, (found, name?: string, fallback = "") =>
    found === "$$" ? "$" : env[name ?? ""] || fallback,
  );
}
