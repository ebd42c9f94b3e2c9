import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { JsonError, parseJson } from "./json-text.ts";
import { maxJsonDepth, maxJsonValues } from "./limits.ts";

function faultOf(text: string) {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof JsonError) return error.fault;
    throw error;
  }
  return assert.fail(`accepted: ${text.slice(0, 80)}`);
}

/** Large doubles are written as whole numbers. */
function exactly(_key: string, value: unknown): unknown {
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? 0 : value;
}

test("whatever JSON.parse reads is read the same", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom("", " ", "\t"), (value, indent) => {
      const text = JSON.stringify(value, exactly, indent);
      if (!text.includes('"__proto__":')) assert.deepEqual(parseJson(text), JSON.parse(text));
    }),
  );
});

test("whatever JSON.parse refuses is refused", () => {
  const cut = fc.tuple(
    fc.json(),
    fc.nat(),
    fc.constantFrom("", "}", "]", '"', ",", ":", "\\", "-", "e", "\u0001"),
  );
  fc.assert(
    fc.property(cut, ([text, at, inserted]) => {
      const position = at % (text.length + 1);
      const broken = text.slice(0, position) + inserted + text.slice(position + 1);
      try {
        JSON.parse(broken);
      } catch {
        assert.throws(() => parseJson(broken), JsonError);
      }
    }),
    { numRuns: 2_000 },
  );
});

test("a fault names its position", () => {
  assert.deepEqual(faultOf('{"a": 1,}'), {
    rule: "json.syntax",
    message: "expected a quoted key",
    position: 8,
    path: ["a"],
  });
  assert.equal(faultOf("").position, 0);
  assert.equal(faultOf("nul").position, 0);
  assert.equal(faultOf('{"a":1} x').position, 8);
  assert.equal(faultOf('"abc').position, 0);
  assert.equal(faultOf('["a\n"]').position, 3);
  assert.equal(faultOf('["\\x"]').position, 2);
});

test("a key that is there twice is refused with its place, however it is written", () => {
  const fault = faultOf('{"items":[{"sku":"a"},{"sku":"a","sk\\u0075":"b"}]}');
  assert.equal(fault.rule, "json.duplicate_key");
  assert.deepEqual(fault.path, ["items", 1, "sku"]);
  parseJson('[{"a":1},{"a":{"a":1}}]');
});

test("__proto__ is refused as a key, and nothing else is", () => {
  assert.deepEqual(faultOf('{"a":{"__proto__":{"admin":true}}}').path, ["a", "__proto__"]);
  assert.equal(faultOf('{"\\u005f_proto__":1}').rule, "json.key");
  parseJson('{"constructor":1,"toString":2,"a":"__proto__"}');
});

test("nesting has a bound", () => {
  parseJson("[".repeat(maxJsonDepth) + "]".repeat(maxJsonDepth));
  assert.equal(faultOf("[".repeat(maxJsonDepth + 1)).rule, "json.depth");
  assert.equal(faultOf('{"a":'.repeat(100_000)).rule, "json.depth");
});

test("the number of values has a bound", () => {
  parseJson(JSON.stringify(Array(maxJsonValues - 1).fill(0)));
  const fault = faultOf(JSON.stringify({ items: Array(maxJsonValues).fill({}) }));
  assert.deepEqual([fault.rule, fault.path[0]], ["json.size", "items"]);
});

test("a whole number that a double would round is refused, and a string of it is not", () => {
  assert.deepEqual(
    parseJson("[9007199254740991,-9007199254740991,1e300,0.1]"),
    [9007199254740991, -9007199254740991, 1e300, 0.1],
  );
  assert.deepEqual(faultOf('{"unitPriceMinor":9007199254740993}').path, ["unitPriceMinor"]);
  assert.equal(faultOf("9".repeat(1_000)).rule, "json.number");
  for (const text of ["9007199254740993.0", "-9007199254740993e0", "9123456789e9"])
    assert.equal(faultOf(text).rule, "json.number", text);
  parseJson('"9007199254740993"');
});
