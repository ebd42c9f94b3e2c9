import { create } from "@bufbuild/protobuf";
import {
  FieldPathSchema,
  ViolationSchema,
  ViolationsSchema,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";

/** A part of the input that does not fit the schema. */
export interface Fault {
  /** Where: names of fields, keys and list indexes. Empty: the whole input. */
  readonly path: readonly (string | number)[];
  /** Which rule it breaks, for example `type.int32`. */
  readonly rule: string;
  /** What is wrong, in words, without repeating the input. */
  readonly message: string;
}

/** Names are the client's, and as long as it likes. */
const maxNameLength = 100;

/**
 * Input that cannot become a message, in the form in which the services report broken rules
 * (`buf.validate.Violations`). Unlike kit's `invalidArgument` it takes any name, dots and all.
 */
export function badInput(faults: readonly Fault[]): ConnectError {
  const value = create(ViolationsSchema, {
    violations: faults.map(({ path, rule, message }) =>
      create(ViolationSchema, { field: fieldPath(path), ruleId: rule, message }),
    ),
  });
  const message = faults[0]?.message ?? "bad input";
  const details = [{ desc: ViolationsSchema, value }];
  return new ConnectError(message, Code.InvalidArgument, undefined, details);
}

function fieldPath(path: Fault["path"]) {
  const elements = path.map((step) =>
    typeof step === "number"
      ? { fieldName: "", subscript: { case: "index" as const, value: BigInt(step) } }
      : { fieldName: step.slice(0, maxNameLength) },
  );
  return create(FieldPathSchema, { elements });
}
