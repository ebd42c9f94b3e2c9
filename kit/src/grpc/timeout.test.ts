import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { encodeGrpcTimeout, parseGrpcTimeout, startDeadlineTimer } from "./timeout.ts";

test("a timeout survives the wire, rounded up by less than a unit", () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 1e10, noNaN: true }), (timeoutMs) => {
      const header = encodeGrpcTimeout(timeoutMs);
      assert.match(header, /^\d{1,8}[mS]$/);
      const parsedMs = parseGrpcTimeout(header) ?? Number.NaN;
      assert.ok(parsedMs >= timeoutMs && parsedMs < timeoutMs + 1_001, `${timeoutMs} → ${header}`);
    }),
  );
});

test("nothing left is sent as the shortest timeout, and forever as the longest", () => {
  assert.equal(encodeGrpcTimeout(-5), "1m");
  assert.equal(encodeGrpcTimeout(Number.POSITIVE_INFINITY), "99999999S");
});

test("every unit is understood", () => {
  const parsed = ["1H", "2M", "3S", "4m", "5000u", "6000000n"].map(parseGrpcTimeout);
  assert.deepEqual(parsed, [3_600_000, 120_000, 3_000, 4, 5, 6]);
  assert.equal(parseGrpcTimeout(undefined), undefined);
});

test("what is not a timeout is invalid_argument", () => {
  for (const value of ["", "1", "m", "1x", "-1m", "1.5S", "123456789m", "1m ", "0x1m"]) {
    assert.throws(
      () => parseGrpcTimeout(value),
      (error) => error instanceof ConnectError && error.code === Code.InvalidArgument,
    );
  }
});

test("a deadline too far for a timer has none, rather than one that fires at once", () => {
  assert.equal(startDeadlineTimer(2 ** 31, assert.fail), undefined);
});
