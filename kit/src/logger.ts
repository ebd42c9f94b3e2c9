import { createRequire } from "node:module";
import { type DestinationStream, type Logger, pino, stdTimeFunctions } from "pino";
import { createLineWriter } from "./line-writer.ts";
import { loggedError } from "./logged-error.ts";
import { withoutSecrets } from "./redact.ts";

export type { Logger } from "pino";

/** How much to say: pino's levels. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * A logger that writes a JSON object a line to standard output, or readable lines when that is a
 * terminal. Fields of a line that hold secrets are redacted, up to two levels deep; what a child logger
 * carries along is not looked at.
 */
export function createLogger(
  name: string,
  level: LogLevel,
  onTerminal = process.stdout.isTTY,
): Logger {
  const options = {
    name,
    level,
    timestamp: stdTimeFunctions.isoTime,
    serializers: { err: (error: unknown) => loggedError(error) },
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (object: object) => withoutSecrets(object),
    },
    base: {},
  };
  return pino(options, onTerminal ? terminal(name) : createLineWriter(process.stdout.fd));
}

/** Loads what only a person at a terminal needs. */
function terminal(name: string): DestinationStream {
  const require = createRequire(import.meta.url);
  const pretty: typeof import("pino-pretty") = require("pino-pretty");
  return pretty({ sync: true, ignore: "name", messageFormat: `${name}  {msg}` });
}
