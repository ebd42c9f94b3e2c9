import assert from "node:assert/strict";
import { test } from "node:test";
import { Reason } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { reasonOf, retryAfterSecondsOf } from "./failure.ts";
import { toConnectError } from "./service-error.ts";

const coded = (code: string) => Object.assign(new Error("x"), { code });

test("an error that was meant passes unchanged", () => {
  const error = new ConnectError("no", Code.NotFound);
  assert.equal(toConnectError(error), error);
});

test("a database that is away is unavailable with its reason, however deep the driver wrapped it", () => {
  const wrapped = new Error("Failed query", { cause: coded("ECONNREFUSED") });
  for (const error of [coded("CONNECTION_CLOSED"), coded("57P01"), coded("53300"), wrapped]) {
    const result = toConnectError(error);
    assert.equal(result.code, Code.Unavailable);
    assert.equal(reasonOf(result), Reason.DATABASE_UNAVAILABLE);
    assert.equal(retryAfterSecondsOf(result), 1);
  }
});

test("a Redis that is away is unavailable with its reason", () => {
  const offline = new Error("Stream isn't writeable and enableOfflineQueue options is false");
  const cut = new Error("Command aborted due to connection close");
  for (const error of [
    offline,
    cut,
    new Error("Command timed out"),
    new Error("Cluster isn't ready and enableOfflineQueue options is false"),
    new Error("None of startup nodes is available"),
    new Error("Connection is closed."),
  ])
    assert.equal(reasonOf(toConnectError(error)), Reason.SESSION_STORE_UNAVAILABLE);
});

test("a Redis that takes no commands for now is unavailable too", () => {
  for (const message of [
    "OOM command not allowed when used memory > 'maxmemory'.",
    "MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk",
    "NOREPLICAS Not enough good replicas to write.",
    "BUSY Redis is busy running a script.",
  ])
    assert.equal(reasonOf(toConnectError(new Error(message))), Reason.SESSION_STORE_UNAVAILABLE);
});

test("what PostgreSQL gave up, and may do when it is tried again, is unavailable with its reason", () => {
  for (const code of ["55P03", "40P01", "40001", "25P03", "25P04", "57P05"])
    assert.equal(reasonOf(toConnectError(coded(code))), Reason.DATABASE_UNAVAILABLE, code);
});

test("anything else is internal and says nothing, but keeps its cause for the log", () => {
  for (const thrown of [new Error("password is hunter2"), coded("23505"), "text", undefined]) {
    const error = toConnectError(thrown);
    assert.equal(error.code, Code.Internal);
    assert.equal(error.rawMessage, "internal error");
    assert.equal(error.cause, thrown);
  }
});
