import { example } from "@3l1/gen/platform/v1/example_pb.ts";
import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { allowsNumber, rulesOf } from "./field-rules.ts";

/** For fields whose rules alone say what they look like. */
const someUuid = "01980000-0000-7000-8000-00000000000a";
const someTime = "2026-01-31T12:00:00Z";

/** A value of a field as JSON, from its `example` or its rules; `undefined` if nothing says what it is like. */
export function exampleOf(field: DescField, within: readonly DescMessage[] = []): unknown {
  if (field.fieldKind === "map") return undefined;
  const one = exampleOfOne(field, within);
  return field.fieldKind === "list" && one !== undefined ? [one] : one;
}

/** A message with an example in every field that has one. */
export function exampleOfMessage(
  desc: DescMessage,
  within: readonly DescMessage[] = [],
): Record<string, unknown> {
  const inside = [...within, desc];
  const entries = desc.fields.map((field) => [field.jsonName, exampleOf(field, inside)] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function exampleOfOne(field: DescField, within: readonly DescMessage[]): unknown {
  if (hasOption(field, example)) return parse(getOption(field, example), field);
  const rules = rulesOf(field);
  const wellKnown = rules?.type.case === "string" ? rules.type.value.wellKnown.case : undefined;
  if (wellKnown === "uuid") return someUuid;
  if (field.enum)
    return field.enum.values.find(({ number }) => number !== 0 && allowsNumber(rules, number))
      ?.name;
  if (field.message?.typeName === "google.protobuf.Timestamp") return someTime;
  const { message } = field;
  const isPlain = message && !message.typeName.startsWith("google.protobuf.");
  return isPlain && !within.includes(message) ? exampleOfMessage(message, within) : undefined;
}

/** Numbers of 64 bits stay strings. */
function parse(text: string, { scalar }: DescField): unknown {
  switch (scalar) {
    case ScalarType.STRING:
    case ScalarType.BYTES:
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return text;
    case undefined:
      return text;
    default:
      return JSON.parse(text);
  }
}
