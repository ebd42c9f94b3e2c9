import assert from "node:assert/strict";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { ConnectError } from "@connectrpc/connect";

/** The error of a call that has to fail. */
export async function failing(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(() => undefined, ConnectError.from);
  assert.ok(error, "it did not fail");
  return error;
}

/** Which rules of which fields an error says were broken. */
export function violationsOf(error: ConnectError) {
  return error.findDetails(ViolationsSchema).flatMap(({ violations }) =>
    violations.map(({ field, ruleId }) => ({
      field: field?.elements.map(({ fieldName }) => fieldName).join("."),
      rule: ruleId,
    })),
  );
}
