import {
  type DescEnum,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonValue,
  type MessageShape,
  ScalarType,
} from "@bufbuild/protobuf";
import { badInput, type Fault } from "./bad-input.ts";
import { isObject } from "./json-text.ts";
import { maxViolations } from "./limits.ts";

/**
 * Reads a message from protobuf JSON. Unknown fields are refused.
 *
 * @throws ConnectError `invalid_argument` that names every field that does not fit.
 */
export function messageFromJson<D extends DescMessage>(desc: D, json: unknown): MessageShape<D> {
  try {
    return fromJson(desc, json as JsonValue);
  } catch {
    const faults = [...faultsOf(desc, json, [])];
    throw badInput(faults.length > 0 ? faults : [wholeMessage([])]);
  }
}

type Path = Fault["path"];

const wholeMessage = (path: Path): Fault => ({
  path,
  rule: "type.message",
  message: "does not fit the schema",
});

/**
 * What keeps `json` from becoming a message, at most {@link maxViolations} faults. Runs only when it
 * has failed already, and asks protobuf-es for each field alone, so that there is one idea of what
 * is right.
 */
function* faultsOf(desc: DescMessage, json: unknown, path: Path): Generator<Fault> {
  if (!isObject(json)) {
    yield { path, rule: "type.object", message: "must be an object" };
    return;
  }
  let count = 0;
  const seen = new Set<DescField>();
  for (const [key, value] of Object.entries(json)) {
    for (const fault of faultsOfMember(desc, key, value, seen, path)) {
      yield fault;
      if (++count === maxViolations) return;
    }
  }
}

function* faultsOfMember(
  desc: DescMessage,
  key: string,
  value: unknown,
  seen: Set<DescField>,
  path: Path,
): Generator<Fault> {
  const at = [...path, key];
  const field = desc.fields.find(({ name, jsonName }) => key === name || key === jsonName);
  if (field === undefined) {
    yield { path: at, rule: "json.unknown_field", message: "there is no such field" };
  } else if (seen.has(field)) {
    yield { path: at, rule: "json.duplicate_key", message: "the field is there twice" };
  } else {
    seen.add(field);
    if (!fits(desc, key, value)) yield* faultsOfValue(desc, field, key, value, at);
  }
}

function* faultsOfValue(
  desc: DescMessage,
  field: DescField,
  key: string,
  value: unknown,
  at: Path,
): Generator<Fault> {
  if (field.fieldKind === "list" && Array.isArray(value)) {
    for (const [index, element] of value.entries())
      if (!fits(desc, key, [element])) yield* faultsOfElement(field, element, [...at, index]);
  } else if (field.fieldKind === "message" && isPlainMessage(field.message) && isObject(value)) {
    yield* faultsOf(field.message, value, at);
  } else {
    yield mustBe(field, at);
  }
}

function* faultsOfElement(
  field: DescField & { fieldKind: "list" },
  element: unknown,
  at: Path,
): Generator<Fault> {
  if (field.message && isPlainMessage(field.message)) yield* faultsOf(field.message, element, at);
  else if (field.message) yield expected(at, field.message.name, `must be a ${field.message.name}`);
  else yield field.enum ? mustBeOneOf(field.enum, at) : mustBeScalar(field.scalar, at);
}

function fits(desc: DescMessage, key: string, value: unknown): boolean {
  try {
    fromJson(desc, { [key]: value as JsonValue });
    return true;
  } catch {
    return false;
  }
}

function mustBe(field: DescField, at: Path): Fault {
  switch (field.fieldKind) {
    case "list":
      return expected(at, "list", "must be a list");
    case "map":
      return expected(at, "map", "must be an object whose members have the right type");
    case "enum":
      return mustBeOneOf(field.enum, at);
    case "scalar":
      return mustBeScalar(field.scalar, at);
    case "message":
      return isPlainMessage(field.message)
        ? expected(at, "object", "must be an object")
        : expected(at, field.message.name, `must be a ${field.message.name}`);
  }
}

function mustBeOneOf(desc: DescEnum, at: Path): Fault {
  return expected(at, "enum", `must be one of ${desc.values.map(({ name }) => name).join(", ")}`);
}

const scalars: Partial<Record<ScalarType, string>> = {
  [ScalarType.STRING]: "a string",
  [ScalarType.BOOL]: "true or false",
  [ScalarType.BYTES]: "a base64 string",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number",
  [ScalarType.INT32]: "a whole number from -2147483648 to 2147483647",
  [ScalarType.UINT32]: "a whole number from 0 to 4294967295",
  [ScalarType.INT64]: "a whole number of at most 64 bits",
  [ScalarType.UINT64]: "a whole number of at most 64 bits, 0 or more",
};

function mustBeScalar(type: ScalarType | undefined, at: Path): Fault {
  const name = ScalarType[type ?? 0]?.toLowerCase() ?? "scalar";
  return expected(at, name, `must be ${scalars[type ?? ScalarType.STRING] ?? `of type ${name}`}`);
}

function expected(path: Path, type: string, message: string): Fault {
  return { path, rule: `type.${type.toLowerCase()}`, message };
}

/** Well-known types have a JSON form of their own, a string more often than not. */
function isPlainMessage(desc: DescMessage): boolean {
  return !desc.typeName.startsWith("google.protobuf.");
}
