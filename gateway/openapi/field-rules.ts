import { type DescField, getOption, hasOption, isFieldSet } from "@bufbuild/protobuf";
import type { GenMessage } from "@bufbuild/protobuf/codegenv2";
import {
  type FieldRules,
  field as fieldRules,
  type MapRules,
  MapRulesSchema,
  type RepeatedRules,
  RepeatedRulesSchema,
  type StringRules,
  StringRulesSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { JsonSchema } from "./json-schema.ts";

/** The rules of protovalidate on a field, `undefined` without. */
export function rulesOf(field: DescField): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}

/**
 * What JSON Schema can say of the rules for a value. What it cannot, such as CEL, only the services
 * check: a document allows more than they do, never less. Rules for enums shape the list of values
 * instead, see {@link allowsNumber}.
 */
export function boundsOf(rules: FieldRules | undefined): JsonSchema {
  const { type } = rules ?? {};
  switch (type?.case) {
    case "string":
      return stringBounds(type.value);
    case "repeated":
      return listBounds(type.value);
    case "map":
      return mapBounds(type.value);
    case "bool":
      return type.value.const ? { const: true } : {};
    case "int32":
    case "uint32":
    case "sint32":
    case "fixed32":
    case "sfixed32":
    case "int64":
    case "uint64":
    case "sint64":
    case "fixed64":
    case "sfixed64":
    case "float":
    case "double":
      return numberBounds(type.value);
    default:
      return {};
  }
}

/** Whether the rules of an enum field allow a value of the enum. */
export function allowsNumber(rules: FieldRules | undefined, value: number): boolean {
  if (rules?.type.case !== "enum") return true;
  const { in: allowed, notIn } = rules.type.value;
  return (allowed.length === 0 || allowed.includes(value)) && !notIn.includes(value);
}

/** Formats that JSON Schema knows under a name of its own. */
const formats: Readonly<Record<string, string>> = {
  email: "email",
  hostname: "hostname",
  ipv4: "ipv4",
  ipv6: "ipv6",
  uri: "uri",
  uriRef: "uri-reference",
  uuid: "uuid",
};

function stringBounds(rules: StringRules): JsonSchema {
  const { minLen, maxLen, len, pattern, wellKnown } = rules;
  const has = isSetIn(StringRulesSchema, rules);
  const format = wellKnown.value === true ? formats[wellKnown.case] : undefined;
  return {
    ...(format !== undefined && { format }),
    ...(has("minLen") && { minLength: Number(minLen) }),
    ...(has("maxLen") && { maxLength: Number(maxLen) }),
    ...(has("len") && { minLength: Number(len), maxLength: Number(len) }),
    ...(has("pattern") && isEcmaPattern(pattern) && { pattern }),
    ...(rules.in.length > 0 && { enum: rules.in }),
    ...(rules.notIn.length > 0 && { not: { enum: rules.notIn } }),
  };
}

/** protovalidate's patterns are RE2's, which knows some things that ECMAScript does not. */
function isEcmaPattern(pattern: string): boolean {
  try {
    return new RegExp(pattern, "u") !== undefined;
  } catch {
    return false;
  }
}

interface NumberRules {
  readonly lessThan: {
    readonly case: string | undefined;
    readonly value?: number | bigint | undefined;
  };
  readonly greaterThan: {
    readonly case: string | undefined;
    readonly value?: number | bigint | undefined;
  };
}

const keywordOf = {
  lt: "exclusiveMaximum",
  lte: "maximum",
  gt: "exclusiveMinimum",
  gte: "minimum",
} as const;

function numberBounds({ lessThan, greaterThan }: NumberRules): JsonSchema {
  const bounds = [lessThan, greaterThan].flatMap((bound) =>
    bound.case === undefined
      ? []
      : [[keywordOf[bound.case as keyof typeof keywordOf], Number(bound.value)]],
  );
  return Object.fromEntries(bounds);
}

function listBounds(rules: RepeatedRules): JsonSchema {
  const has = isSetIn(RepeatedRulesSchema, rules);
  return {
    ...(has("minItems") && { minItems: Number(rules.minItems) }),
    ...(has("maxItems") && { maxItems: Number(rules.maxItems) }),
    ...(rules.unique && { uniqueItems: true }),
  };
}

function mapBounds(rules: MapRules): JsonSchema {
  const has = isSetIn(MapRulesSchema, rules);
  return {
    ...(has("minPairs") && { minProperties: Number(rules.minPairs) }),
    ...(has("maxPairs") && { maxProperties: Number(rules.maxPairs) }),
    ...(rules.keys && { propertyNames: boundsOf(rules.keys) }),
  };
}

function isSetIn<T extends RepeatedRules | MapRules | StringRules>(
  schema: GenMessage<T>,
  rules: T,
): (name: string) => boolean {
  return (name) => {
    const field = schema.fields.find(({ localName }) => localName === name);
    return field !== undefined && isFieldSet(rules, field);
  };
}
