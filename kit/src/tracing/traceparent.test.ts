import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isSampled,
  isTraceparent,
  newTraceparent,
  recordedTraceIdOf,
  traceIdOf,
} from "./traceparent.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const given = (flags: string) => `00-${traceId}-00f067aa0ba902b7-${flags}`;

test("only the lowest flag of a well-formed context says that the trace is recorded", () => {
  for (const flags of ["01", "03", "ff"]) assert.ok(isSampled(given(flags)), flags);
  for (const flags of ["00", "02", "fe", "1", "0g", "01-"])
    assert.ok(!isSampled(given(flags)), flags);
});

test("ids of zeros, other versions and capitals are no context", () => {
  assert.ok(isTraceparent(given("00")));
  for (const text of [
    `00-${"0".repeat(32)}-00f067aa0ba902b7-01`,
    `00-${traceId}-${"0".repeat(16)}-01`,
    given("01").replace("00-", "01-"),
    given("01").toUpperCase(),
    `${given("01")} `,
  ])
    assert.ok(!isTraceparent(text), text);
});

test("a context made here is well formed, new each time and not sampled", () => {
  const made = Array.from({ length: 100 }, newTraceparent);
  for (const each of made) assert.ok(isTraceparent(each) && !isSampled(each), each);
  assert.equal(new Set(made.map(traceIdOf)).size, made.length);
});

test("the trace id of a trace that nobody records finds nothing, and is not told", () => {
  assert.equal(recordedTraceIdOf(given("01")), traceId);
  assert.equal(recordedTraceIdOf(given("00")), undefined);
});

test("the trace id is read of what has a context's length", () => {
  assert.equal(traceIdOf(given("01")), traceId);
  for (const none of [undefined, null, "", "nonsense"]) assert.equal(traceIdOf(none), undefined);
});
