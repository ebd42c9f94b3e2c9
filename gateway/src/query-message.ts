import {
  type DescField,
  type DescMessage,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { badInput, type Fault } from "./bad-input.ts";
import { messageFromJson } from "./json-message.ts";
import { maxViolations } from "./limits.ts";

/**
 * Reads a message from a query string: a field a parameter, a repeated field by repeating it
 * (google.api.http). Unknown parameters are refused, so that a misspelt one is not a silent default.
 *
 * @param query what stands behind the question mark
 * @param inPath parameters that stand in the path
 * @throws ConnectError `invalid_argument` that names every parameter that does not fit.
 */
export function messageFromQuery<D extends DescMessage>(
  desc: D,
  query: string,
  inPath: Readonly<Record<string, string>> = {},
): MessageShape<D> {
  const faults: Fault[] = [];
  const json: Record<string, unknown> = {};
  for (const [name, values] of parametersOf(query, faults)) {
    const field = desc.fields.find((each) => each.name === name || each.jsonName === name);
    if (field?.fieldKind === "list") json[name] = values.map((value) => toJson(field, value));
    else if (values.length > 1) faults.push(fault(name, "query.once", "must be there only once"));
    else json[name] = field ? toJson(field, values[0] as string) : values[0];
  }
  if (faults.length > 0) throw badInput(faults.slice(0, maxViolations));
  return messageFromJson(desc, { ...json, ...inPath });
}

/**
 * Refuses parameters on a route that takes its fields from the body.
 *
 * @throws ConnectError `invalid_argument`
 */
export function refuseQuery(query: string): void {
  const faults: Fault[] = [];
  const names = [...parametersOf(query, faults).keys()];
  const unknown = names.map((name) => fault(name, "query.none", "belongs into the body"));
  if (faults.length + unknown.length > 0)
    throw badInput([...faults, ...unknown].slice(0, maxViolations));
}

function parametersOf(query: string, faults: Fault[]): Map<string, string[]> {
  const parameters = new Map<string, string[]>();
  for (const part of query.split("&")) {
    if (part === "") continue;
    const cut = part.indexOf("=");
    const name = decode(cut < 0 ? part : part.slice(0, cut));
    const value = decode(cut < 0 ? "" : part.slice(cut + 1));
    if (name === undefined || value === undefined)
      faults.push(fault(name ?? "", "query.encoding", "is not percent-encoded UTF-8"));
    else if (name === "__proto__")
      faults.push(fault(name, "json.unknown_field", "there is no such field"));
    else if (parameters.has(name)) parameters.get(name)?.push(value);
    else parameters.set(name, [value]);
  }
  return parameters;
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return undefined;
  }
}

/** A parameter as JSON would have it. Numbers stay strings: protobuf JSON reads them just as well. */
function toJson(field: DescField, text: string): unknown {
  if (field.scalar === ScalarType.BOOL)
    return text === "true" ? true : text === "false" ? false : text;
  if (field.enum && /^\d{1,9}$/.test(text)) return Number(text);
  return text;
}

function fault(name: string, rule: string, message: string): Fault {
  return { path: name === "" ? [] : [name], rule, message };
}
