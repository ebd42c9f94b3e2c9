import assert from "node:assert/strict";
import { test } from "node:test";
import { passableTracestate } from "./tracestate.ts";

test("what others say of a trace is passed on", () => {
  for (const [given, passed] of [
    ["rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", "rojo=00f067aa0ba902b7,congo=t61rcWkgMzE"],
    ["fw529a3039@dt=FfAA/b; c:d", "fw529a3039@dt=FfAA/b; c:d"],
    ["a=1 ,\tb=2,, ", "a=1,b=2"],
  ] as const)
    assert.equal(passableTracestate(given), passed);
});

test("nothing is passed on of what is too long or malformed", () => {
  const many = Array.from({ length: 33 }, (_, i) => `k${i}=1`).join(",");
  for (const given of ["", " , ", "a", "A=1", "=1", "a=", "a=1=2", "a=\x01", "a=ü", many])
    assert.equal(passableTracestate(given), undefined, given);
  assert.equal(passableTracestate(`a=${"x".repeat(254)},b=${"x".repeat(253)}`)?.length, 512);
  assert.equal(passableTracestate(`a=${"x".repeat(254)},b=${"x".repeat(254)}`), undefined);
});
