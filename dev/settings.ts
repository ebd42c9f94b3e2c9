import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { StartError } from "./start-error.ts";

export type ServiceName = "gateway" | "user-service" | "order-service";

/** Where a process listens, and the settings that say so. */
export interface Address {
  readonly host: string;
  readonly port: number;
  readonly hostSetting: string;
  readonly portSetting: string;
}

/** A process of the platform: its name is its folder's. */
export interface ServiceSettings {
  readonly name: ServiceName;
  readonly public: Address;
  readonly admin: Address;
}

/** What `npm start` itself has to know. All other settings just pass through to the processes. */
export interface Settings {
  /** `PLATFORM_DIR`, default `.local`: data, secrets and `platform.json`. */
  readonly platformDir: string;
  /** `PLATFORM_DEMO`, default true: demo data and the banner. */
  readonly demo: boolean;
  /** `--watch`: start a service again when its source has changed. */
  readonly watch: boolean;
  readonly gateway: ServiceSettings;
  readonly userService: ServiceSettings;
  readonly orderService: ServiceSettings;
}

export type Environment = Readonly<Record<string, string | undefined>>;

const usage = `usage: npm start [-- --watch]

  --watch   start a service again when its files, or those of kit/ and gen/ that it uses, change

Settings are environment variables; docs/operations.md lists them.`;

/** @throws {StartError} with all problems at once. */
export function readSettings(env: Environment, args: string[], root: string): Settings {
  const problems: string[] = [];
  const service = (name: ServiceName, prefix: string, port: number, adminPort: number) => ({
    name,
    public: readAddress(env, prefix, port, problems),
    admin: readAddress(env, `${prefix}_ADMIN`, adminPort, problems),
  });
  const settings: Settings = {
    platformDir: resolve(root, env.PLATFORM_DIR || ".local"),
    demo: readFlag(env, "PLATFORM_DEMO", true, problems),
    watch: readArguments(args),
    gateway: service("gateway", "GATEWAY", 8080, 6060),
    userService: service("user-service", "USER_SERVICE", 50_051, 6061),
    orderService: service("order-service", "ORDER_SERVICE", 50_052, 6062),
  };
  if (problems.length > 0) throw new StartError(problems.join("\n"));
  return settings;
}

/** All that the platform listens on for others. */
export function addressesOf(settings: Settings): readonly Address[] {
  const { gateway, userService, orderService } = settings;
  return [gateway, userService, orderService].flatMap((service) => [service.public, service.admin]);
}

/** The address to call a listener by, from this machine. */
export function urlOf({ host, port }: Address): string {
  const reachable = host === "0.0.0.0" ? "127.0.0.1" : host === "::" ? "::1" : host;
  return `http://${reachable.includes(":") ? `[${reachable}]` : reachable}:${port}`;
}

function readArguments(args: string[]): boolean {
  try {
    const options = { watch: { type: "boolean", default: false } } as const;
    return parseArgs({ args, options, strict: true }).values.watch;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n\n${usage}`);
  }
}

function readAddress(
  env: Environment,
  prefix: string,
  defaultPort: number,
  problems: string[],
): Address {
  const hostSetting = `${prefix}_HOST`;
  const portSetting = `${prefix}_PORT`;
  const given = env[portSetting] || String(defaultPort);
  const port = Number(given);
  if (!/^\d+$/.test(given) || port < 1 || port > 65_535)
    problems.push(`${portSetting} must be a port from 1 to 65535, not "${given}"`);
  return { host: env[hostSetting] || "127.0.0.1", port, hostSetting, portSetting };
}

function readFlag(env: Environment, name: string, fallback: boolean, problems: string[]): boolean {
  const given = (env[name] || String(fallback)).toLowerCase();
  if (["true", "1", "yes", "on"].includes(given)) return true;
  if (["false", "0", "no", "off"].includes(given)) return false;
  problems.push(`${name} must be true or false, not "${given}"`);
  return fallback;
}
