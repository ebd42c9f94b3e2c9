import { create } from "@bufbuild/protobuf";
import {
  ViolationSchema,
  ViolationsSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";

/** One rule that a field breaks. */
export interface FieldViolation {
  /** Where, as the schema names it, for example `items[0].quantity`. */
  readonly field: string;
  /** Which rule, for example `string.email`. */
  readonly rule: string;
  /** What is wrong, in words. */
  readonly message: string;
}

/** Bad input, in the form in which protovalidate reports it: for rules that the schema cannot hold. */
export function invalidArgument(...violations: FieldViolation[]): ConnectError {
  const value = create(ViolationsSchema, {
    violations: violations.map(({ field, rule, message }) =>
      create(ViolationSchema, { field: fieldPath(field), ruleId: rule, message }),
    ),
  });
  const message = violations.map((each) => `${each.field}: ${each.message}`).join("; ");
  return new ConnectError(message, Code.InvalidArgument, undefined, [
    { desc: ViolationsSchema, value },
  ]);
}

function fieldPath(path: string) {
  return {
    elements: path.split(".").map((part) => {
      const [, fieldName = part, index] = /^(.*?)(?:\[(\d+)\])?$/.exec(part) ?? [];
      return index === undefined
        ? { fieldName }
        : { fieldName, subscript: { case: "index" as const, value: BigInt(index) } };
    }),
  };
}
