import { readFileSync } from "node:fs";
import { type CleanedEnv, cleanEnv, makeValidator, type ValidatorSpec } from "envalid";

export { bool as flag, str as text } from "envalid";

/** Settings of a process: an environment variable's name → its validator with default, unit and meaning. */
export type Settings = Record<string, ValidatorSpec<unknown>>;

/** The values of settings, frozen, under the names of their environment variables. */
export type Config<S> = CleanedEnv<S>;

/** Thrown by {@link loadConfig}. Its message lists every problem, and never a value. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`the settings are not usable:\n${problems.map((line) => `  - ${line}`).join("\n")}`);
    this.problems = problems;
  }
}

/**
 * Reads settings from an environment. A value may also stand in a file that `NAME_FILE` names, as
 * Docker and Kubernetes hand out secrets; an empty value counts as unset.
 *
 * @throws {ConfigError} with all problems at once.
 */
export function loadConfig<S extends Settings>(
  settings: S,
  env: Readonly<Record<string, string | undefined>>,
): Config<S> {
  const problems: string[] = [];
  const values = readValues(Object.keys(settings), env, problems);
  const config = cleanEnv(values, settings, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) {
        if (!problems.some((problem) => problem.startsWith(`${name}_FILE `)))
          problems.push(describe(name, error, settings[name]?.desc));
      }
    },
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return config as Config<S>;
}

function readValues(
  names: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  problems: string[],
): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of names) {
    const file = env[`${name}_FILE`];
    if (env[name]) values[name] = env[name];
    else if (file) {
      try {
        values[name] = readFileSync(file, "utf8").trim();
      } catch (error) {
        problems.push(`${name}_FILE cannot be read: ${(error as NodeJS.ErrnoException).code}`);
      }
    }
  }
  return values;
}

function describe(name: string, error: unknown, meaning = ""): string {
  const missing = error instanceof Error && error.name === "EnvMissingError";
  const rule = missing ? "is missing" : error instanceof Error ? error.message : "is not valid";
  return `${name} ${rule}${meaning ? ` (${meaning})` : ""}`;
}

/** A whole number from `min` to `max`, both included. */
export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) =>
  makeValidator<number>((input) => {
    const value = Number(input);
    if (!/^-?\d+$/.test(input) || value < min || value > max)
      throw new Error(`must be a whole number from ${min} to ${max}`);
    return value;
  });

/** A TCP port, 1 to 65535. */
export const port = integer(1, 65_535);

/** An `http://host:port` address. */
const httpAddress = makeValidator<string>((input) => {
  if (!isHttp(input)) throw new Error("must be an http:// address");
  return input;
});

/** A list of `http://host:port` addresses without a path, separated by commas. */
export const httpUrls = makeValidator<readonly string[]>((input) => {
  const urls = splitList(input);
  if (urls.length === 0 || !urls.every(isOrigin))
    throw new Error("must list http:// addresses of nothing but host and port");
  return urls;
});

/** Longest call to a service. One range for all processes, since one value is passed on to each. */
export const upstreamTimeout = integer(
  1,
  600_000,
)({ default: 5_000, desc: "longest time a call to a service may take, in milliseconds" });

/** Where traces go. The same in every process. */
export const otlpEndpoint = httpAddress({
  default: "",
  desc: "collector of traces, OTLP over HTTP, such as http://127.0.0.1:4318; unset: no tracing",
});

/** A `redis://` or `rediss://` address; several, separated by commas, are nodes of one cluster. */
export const redisUrl = makeValidator<string>((input) => {
  const urls = splitList(input);
  const isGood = (entry: string) => /^rediss?:$/.test(URL.parse(entry)?.protocol ?? "");
  if (urls.length === 0 || !urls.every(isGood)) throw new Error("must list redis:// addresses");
  return urls.join(",");
});

/** A `postgres://` or `postgresql://` address of a database. */
export const postgresUrl = makeValidator<string>((input) => {
  if (!/^postgres(ql)?:$/.test(URL.parse(input)?.protocol ?? ""))
    throw new Error("must be a postgres:// address");
  return input;
});

/** Secrets, separated by commas, each of at least 32 characters. The first is used, the rest still count. */
export const secretKeys = makeValidator<readonly string[]>((input) => {
  const keys = splitList(input);
  if (keys.length === 0 || keys.some((key) => key.length < 32))
    throw new Error("must list secrets of at least 32 characters each");
  return keys;
});

function isOrigin(address: string): boolean {
  const url = URL.parse(address);
  return isHttp(address) && url?.href === `${url?.origin}/`;
}

function isHttp(address: string): boolean {
  return /^https?:$/.test(URL.parse(address)?.protocol ?? "");
}

/** A list, separated by commas; blanks around an entry and empty entries do not count. */
export function splitList(input: string): string[] {
  return input
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "");
}
