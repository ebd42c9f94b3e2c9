import assert from "node:assert/strict";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { reasonOf } from "@3l1/kit/rpc/failure.ts";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError } from "@connectrpc/connect";

/** How a call fails, in short: its code, its reason if there is one, and the fields that are wrong. */
export async function failureOf(call: Promise<unknown>): Promise<string> {
  const error = await call.then(
    () => assert.fail("the call should have failed"),
    (thrown: unknown) => ConnectError.from(thrown),
  );
  const reason = reasonOf(error);
  const fields = error
    .findDetails(ViolationsSchema)
    .flatMap(({ violations }) => violations)
    .map(({ field }) => field?.elements[0]?.fieldName);
  return [Code[error.code], ...(reason ? [nameOf(reason)] : []), ...fields].join(" ");
}

function nameOf(reason: Reason): string {
  const entry = Object.entries(Reason).find(([, value]) => value === reason);
  return entry?.[0] ?? String(reason);
}
