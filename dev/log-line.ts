import type { Paint } from "./terminal.ts";

/** What stands last in a line, since it is looked for only when something else has caught the eye. */
const last = ["ip", "userId", "sessionId", "requestId", "traceId"];
const styles = { warn: "yellow", error: "red", fatal: "red" } as const;

/** Whether whoever runs the platform should see a line at once: not what is logged as a matter of course. */
export function isLoud(line: string): boolean {
  return !/^\{"level":"(?:trace|debug|info)"/.test(line);
}

/** When a line was logged, as ISO 8601; undefined for what is no line of a logger, such as a crash. */
export function timeOf(line: string): string | undefined {
  return /^\{"level":"\w+","time":"([^"]+)"/.exec(line)?.[1];
}

/** A line of a service's log for people: time, level, service and message, then the fields. */
export function readableLine(line: string, paint: Paint): string {
  const fields = parse(line);
  if (fields === undefined) return line;
  const { level, time, name, msg, err, ...rest } = fields;
  const style = styles[level as keyof typeof styles] ?? "dim";
  const words = [
    paint("dim", new Date(String(time)).toTimeString().slice(0, 8)),
    paint(style, String(level).padEnd(5)),
    String(name).padEnd(13),
    printable(String(msg)),
    ...told(rest).map((field) => paint("dim", field)),
  ];
  return [words.join("  "), ...errorLines(err)].join("\n");
}

function parse(line: string): Record<string, unknown> | undefined {
  if (timeOf(line) === undefined) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined; // cut, or written over
  }
}

function told(fields: Record<string, unknown>): string[] {
  const rank = (name: string) => last.indexOf(name);
  return Object.entries(fields)
    .sort(([one], [other]) => rank(one) - rank(other))
    .map(([name, value]) => `${name}=${inWords(value)}`);
}

function inWords(value: unknown): string {
  const plain = typeof value !== "object" && /^[\w.:/@%+-]+$/.test(String(value));
  return plain ? String(value) : printable(JSON.stringify(value) ?? String(value));
}

/** An error and what caused it, each with where it came from. */
function errorLines(error: unknown): string[] {
  if (typeof error !== "object" || error === null) return error ? [`  ${inWords(error)}`] : [];
  const { type, message, stack, cause } = error as Record<string, unknown>;
  const where = typeof stack === "string" ? stack.split("\n").map(printable) : [];
  return [`  ${printable(`${type}: ${message}`)}`, ...where, ...errorLines(cause)];
}

/** What a client has sent may stand in a log; it must not move the cursor. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ");
}
