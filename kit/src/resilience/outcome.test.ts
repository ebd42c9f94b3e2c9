import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { transportError } from "../grpc/error.ts";
import { failure } from "../rpc/failure.ts";
import { isOverload, isUnexplained, outcomeOf, tookLong } from "./outcome.ts";

const quick = { tookMs: 3, timeoutMs: 5_000 };
const long = { tookMs: 2_500, timeoutMs: 5_000 };
const unavailable = new ConnectError("starting", Code.Unavailable);
const timedOut = new ConnectError("the operation timed out", Code.DeadlineExceeded);

function because(reason: Reason): ConnectError {
  return failure(Code.Unavailable, "not now", reason);
}

describe("an upstream has failed", () => {
  test("when it is not available and gives no reason", () => {
    assert.equal(outcomeOf(unavailable, quick), "failure");
    assert.equal(outcomeOf(because(Reason.UNSPECIFIED), quick), "failure");
    assert.equal(outcomeOf(because(Reason.DRAINING), quick), "failure");
  });

  test("when the connection failed, whether or not the call can have run", () => {
    assert.equal(outcomeOf(transportError("refused", false), quick), "failure");
    assert.equal(outcomeOf(transportError("reset", true), quick), "failure");
  });

  test("when it let at least half of its timeout pass", () => {
    assert.equal(outcomeOf(timedOut, long), "failure");
    assert.equal(outcomeOf(timedOut, long, AbortSignal.abort(timedOut)), "failure");
  });
});

describe("nothing is said about the upstream", () => {
  test("when the caller gave it less than half of its timeout", () => {
    assert.equal(outcomeOf(timedOut, { tookMs: 2_499, timeoutMs: 5_000 }), "neutral");
  });

  test("when the caller left, whatever came of the call", () => {
    const gone = AbortSignal.abort();
    const canceled = new ConnectError("This operation was aborted", Code.Canceled);
    assert.equal(outcomeOf(canceled, long, gone), "neutral");
    assert.equal(outcomeOf(transportError("reset", true), quick, gone), "neutral");
  });

  test("when it has had too much of one caller", () => {
    assert.equal(outcomeOf(new ConnectError("big", Code.ResourceExhausted), quick), "neutral");
  });

  test("when it names what is missing", () => {
    for (const reason of [
      Reason.DATABASE_UNAVAILABLE,
      Reason.SESSION_STORE_UNAVAILABLE,
      Reason.PASSWORD_HASHING_BUSY,
      Reason.SIGNING_KEYS_UNAVAILABLE,
      Reason.BREAKER_OPEN,
      Reason.OVERLOADED,
    ])
      assert.equal(outcomeOf(because(reason), quick), "neutral");
  });
});

test("any other answer shows that the upstream works", () => {
  for (const code of [
    Code.NotFound,
    Code.InvalidArgument,
    Code.Unauthenticated,
    Code.Aborted,
    Code.Internal,
    Code.Unknown,
    Code.Unimplemented,
  ])
    assert.equal(outcomeOf(new ConnectError("no", code), quick), "success");
});

test("only what nobody explains is worth another attempt", () => {
  assert.equal(isUnexplained(unavailable), true);
  assert.equal(isUnexplained(because(Reason.DRAINING)), true);
  assert.equal(isUnexplained(transportError("reset", true)), true);
  assert.equal(isUnexplained(because(Reason.DATABASE_UNAVAILABLE)), false);
  assert.equal(isUnexplained(timedOut), false);
});

test("long is half of the timeout", () => {
  assert.equal(tookLong(long), true);
  assert.equal(tookLong({ tookMs: 2_499, timeoutMs: 5_000 }), false);
});

test("an upstream is overloaded when it says so, or runs out of time", () => {
  assert.equal(isOverload(because(Reason.OVERLOADED), quick), true);
  assert.equal(isOverload(timedOut, long), true);
  assert.equal(isOverload(timedOut, quick), false);
  assert.equal(isOverload(because(Reason.PASSWORD_HASHING_BUSY), quick), false);
  assert.equal(isOverload(new ConnectError("big", Code.ResourceExhausted), quick), false);
});
