import assert from "node:assert/strict";
import { test } from "node:test";
import { DrizzleQueryError } from "drizzle-orm";
import { briefError, loggedError } from "./logged-error.ts";

const secret = "$argon2id$v=19$hash";

test("what was sent to a database or to Redis is not logged", () => {
  const driver = Object.assign(new Error("null value in column"), {
    code: "23502",
    detail: `Failing row contains (1, ${secret})`,
    parameters: [secret],
    command: { name: "eval", args: [secret] },
  });
  const error = new DrizzleQueryError("insert into users values ($1)", [secret], driver);
  for (const logged of [loggedError(error), briefError(error)]) {
    assert.ok(!JSON.stringify(logged).includes(secret));
    assert.ok(JSON.stringify(logged).includes("insert into users"));
  }
});

test("what helps is logged: where, which code, and what caused it", () => {
  const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
  const logged = loggedError(new TypeError("broken", { cause }));
  const { type, message, stack, cause: inner } = logged as Record<string, unknown>;
  assert.deepEqual([type, message], ["TypeError", "broken"]);
  assert.match(String(stack), /logged-error\.test\.ts/);
  assert.partialDeepStrictEqual(inner, { type: "Error", message: "refused", code: "ECONNREFUSED" });
});

test("a chain of causes that bites its tail ends, and what is no error is logged as it is", () => {
  const error = new Error("loop");
  error.cause = error;
  assert.ok(JSON.stringify(loggedError(error)).length < 20_000);
  assert.deepEqual(loggedError({ message: "plain" }), { message: "plain" });
  assert.deepEqual(briefError("text"), { type: "string", message: "text" });
});
