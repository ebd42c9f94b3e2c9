import { type Logger, pino, stdTimeFunctions } from "pino";
import pretty from "pino-pretty";
import { loggedError } from "./logged-error.ts";

export type { Logger } from "pino";

/** How much to say: pino's levels. */
export const logLevels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type LogLevel = (typeof logLevels)[number];

/** What is never written, should an object with it be logged by mistake. */
const secrets = [
  "authorization",
  "cookie",
  "password",
  "currentPassword",
  "newPassword",
  "token",
  "sessionKey",
  '["session-key"]',
  '["service-credential"]',
  '["set-cookie"]',
  '["x-access-token"]',
];

/**
 * A logger that writes a JSON object a line to standard output, or readable lines when that is a
 * terminal. Fields that hold secrets are redacted, up to two levels deep.
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
    redact: { paths: secrets.flatMap(atAnyDepth), censor: "[redacted]" },
    formatters: { level: (label: string) => ({ level: label }) },
    base: {},
  };
  return onTerminal
    ? pino(options, pretty({ sync: true, ignore: "name", messageFormat: `${name}  {msg}` }))
    : pino(options);
}

function atAnyDepth(field: string): string[] {
  const at = (prefix: string) => (field.startsWith("[") ? prefix + field : `${prefix}.${field}`);
  return [field.startsWith("[") ? field : field, at("*"), at("*.*")];
}
