import { readFileSync } from "node:fs";
import type { Environment, ServiceName } from "./settings.ts";

/**
 * Whom a setting is for: the first pattern that fits decides. Secrets and addresses stand here; what
 * does not (PATH, LOG_LEVEL, OTEL_…, RATE_LIMIT_…) goes to all, so that a new setting needs no edit.
 */
const owners: readonly (readonly [pattern: RegExp, services: readonly ServiceName[]])[] = [
  [/^(PLATFORM_|DEMO_|npm_)/, []],
  [/^GATEWAY_/, ["gateway"]],
  [/^USER_SERVICE_URL$/, ["gateway", "order-service"]],
  [/^ORDER_SERVICE_URL$/, ["gateway", "user-service"]],
  [/^USER_SERVICE_/, ["user-service"]],
  [/^ORDER_SERVICE_/, ["order-service"]],
  [/^USER_DATABASE_/, ["user-service"]],
  [/^ORDER_DATABASE_/, ["order-service"]],
  [/^ADMIN_(EMAIL|PASSWORD)$/, ["user-service"]],
];

/** The part of an environment that a service needs. `NAME_FILE` belongs to whom `NAME` does. */
export function environmentFor(service: ServiceName, env: Environment): Record<string, string> {
  const mine: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    const setting = name.replace(/_FILE$/, "");
    const owner = owners.find(([pattern]) => pattern.test(setting));
    if (value !== undefined && (owner?.[1].includes(service) ?? true)) mine[name] = value;
  }
  return mine;
}

/** Whether a setting has a value, be it in a file. An empty one counts as unset. */
export function isSet(env: Environment, name: string): boolean {
  return Boolean(env[name] || env[`${name}_FILE`]);
}

/** The value of a setting; that of its file, where `NAME_FILE` names one. */
export function readSetting(env: Environment, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  return env[name] || (file ? readFileSync(file, "utf8").trim() : undefined);
}

/** `env`, and the defaults for what it leaves unset. */
export function withDefaults(env: Environment, defaults: Environment): Environment {
  const missing = Object.entries(defaults).filter(([name]) => !isSet(env, name));
  return { ...env, ...Object.fromEntries(missing) };
}
