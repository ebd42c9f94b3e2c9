import { ScalarType } from "@bufbuild/protobuf";
import type { FieldRules } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import type { Direction, JsonSchema } from "./json-schema.ts";

const int32 = { minimum: -(2 ** 31), maximum: 2 ** 31 - 1 };
const uint32 = { minimum: 0, maximum: 2 ** 32 - 1 };

/** A scalar in protobuf's JSON mapping. */
export function scalarSchema(
  type: ScalarType,
  direction: Direction,
  rules: FieldRules | undefined,
): JsonSchema {
  switch (type) {
    case ScalarType.STRING:
      return { type: "string" };
    case ScalarType.BOOL:
      return { type: "boolean" };
    case ScalarType.BYTES:
      return { type: "string", contentEncoding: "base64" };
    case ScalarType.DOUBLE:
    case ScalarType.FLOAT:
      return { type: "number" };
    case ScalarType.INT32:
    case ScalarType.SINT32:
    case ScalarType.SFIXED32:
      return { type: "integer", format: "int32", ...int32 };
    case ScalarType.UINT32:
    case ScalarType.FIXED32:
      return { type: "integer", ...uint32 };
    default:
      return longSchema(isUnsigned(type) || isNeverNegative(rules), direction);
  }
}

/** 64 bits are more than a JSON number holds for sure: a string in answers, either in requests. */
function longSchema(neverNegative: boolean, direction: Direction): JsonSchema {
  const pattern = neverNegative ? "^[0-9]{1,20}$" : "^-?[0-9]{1,20}$";
  const type = direction === "request" ? (["string", "integer"] as const) : "string";
  return { type, format: "int64", pattern };
}

function isUnsigned(type: ScalarType): boolean {
  return type === ScalarType.UINT64 || type === ScalarType.FIXED64;
}

function isNeverNegative(rules: FieldRules | undefined): boolean {
  if (rules?.type.case !== "int64") return false;
  const { greaterThan } = rules.type.value;
  return greaterThan.case !== undefined && greaterThan.value >= 0n;
}
