/** Bodies that somebody might send to see what breaks, with what is wrong about each. */
export function* hostileBodies(): Generator<readonly [what: string, body: string | Uint8Array]> {
  yield* wrongShapes();
  yield* brokenJson();
  for (const [what, value] of wrongValues())
    for (const field of ["items", "currencyCode", "note", "email", "password", "name", "token"])
      yield [`${field}: ${what}`, `{${JSON.stringify(field)}: ${value}}`];
}

function* wrongShapes(): Generator<readonly [string, string]> {
  for (const body of ["null", "true", "0", '""', "[]", "[{}]", '"{}"', "-1e999"])
    yield [body, body];
  yield ["unknown field", '{"nonsense": 1}'];
  yield ["__proto__", '{"__proto__": {"admin": true}, "email": "a@example.com"}'];
  yield ["constructor", '{"constructor": {"prototype": {"admin": true}}}'];
  yield ["nested __proto__", '{"items": [{"__proto__": {"sku": "a"}}]}'];
  yield ["deep array", `{"items": ${"[".repeat(5_000)}${"]".repeat(5_000)}}`];
  yield ["deeper array", "[".repeat(200_000)];
  yield ["deep object", `${'{"items":'.repeat(5_000)}1${"}".repeat(5_000)}`];
  yield ["2 MiB", JSON.stringify({ note: "x".repeat(2 << 20) })];
  yield [
    "many keys",
    JSON.stringify(Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, i]))),
  ];
  yield ["many items", JSON.stringify({ items: Array.from({ length: 10_000 }, () => ({})) })];
}

function* brokenJson(): Generator<readonly [string, string | Uint8Array]> {
  for (const body of [
    "",
    " ",
    "{",
    "}",
    "{]",
    '{"a"}',
    '{"a":}',
    "{'a': 1}",
    "{a: 1}",
    '{"a": 1,}',
    "\u0000",
    "NaN",
    "undefined",
    "<x/>",
    "a=b",
  ])
    yield [`broken ${body}`, body];
  yield [
    "invalid UTF-8",
    Uint8Array.of(...Buffer.from('{"note": "'), 0xff, 0xfe, ...Buffer.from('"}')),
  ];
  yield [
    "half a character",
    Uint8Array.of(...Buffer.from('{"note": "'), 0xe2, 0x82, ...Buffer.from('"}')),
  ];
  yield ["UTF-16", Buffer.from('{"note": "x"}', "utf16le")];
  yield ["random bytes", Uint8Array.from({ length: 64 }, (_, index) => (index * 97) % 256)];
}

function wrongValues(): (readonly [string, string])[] {
  return [
    ["null", "null"],
    ["number", "12345678901234567890"],
    ["fraction", "1.5"],
    ["huge number", "1e400"],
    ["boolean", "true"],
    ["object", '{"a": 1}'],
    ["array", '[1, "a", null]'],
    ["array of objects", '[{"sku": {}, "quantity": "x"}]'],
    ["NUL", '"a\\u0000b"'],
    ["lone surrogate", '"\\ud800"'],
    ["control characters", '"\\u0001\\u001b[31m"'],
    ["SQL", '"\'; drop table users; --"'],
    ["long text", JSON.stringify("x".repeat(100_000))],
  ];
}
