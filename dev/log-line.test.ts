import assert from "node:assert/strict";
import { test } from "node:test";
import { isLoud, readableLine } from "./log-line.ts";

process.env.TZ = "UTC";
const plain = (_: string, text: string) => text;
const time = "2026-01-02T03:04:05.678Z";
const line = (fields: object) =>
  JSON.stringify({ level: "info", time, name: "gateway", ...fields });

test("a line says when, how bad, who and what, and has its ids at the end", () => {
  const logged = line({
    requestId: "r-1",
    method: "GET",
    status: 200,
    note: "two words",
    msg: "request",
  });
  assert.equal(
    readableLine(logged, plain),
    '03:04:05  info   gateway        request  method=GET  status=200  note="two words"  requestId=r-1',
  );
});

test("an error is told with its cause and where it came from", () => {
  const cause = { type: "Error", message: "connection refused", stack: "    at deep (b.ts:2:1)" };
  const err = { type: "TypeError", message: "no", stack: "    at here (a.ts:1:1)", cause };
  assert.deepEqual(readableLine(line({ level: "error", msg: "failed", err }), plain).split("\n"), [
    "03:04:05  error  gateway        failed",
    "  TypeError: no",
    "    at here (a.ts:1:1)",
    "  Error: connection refused",
    "    at deep (b.ts:2:1)",
  ]);
});

test("what a client has sent cannot move the cursor", () => {
  const shown = readableLine(line({ msg: "a\u001b[2Jb", agent: "\u009b2J\r\n" }), plain);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: none may be left
  assert.doesNotMatch(shown, /[\u0000-\u001f\u007f-\u009f]/);
});

test("what no logger has written is shown as it is: a crash's stack, a cut line", () => {
  for (const text of ["Error: no", '{"level":"info","time":"2026', "{}"])
    assert.equal(readableLine(text, plain), text);
});

test("warnings, errors and crashes are loud, and nothing else", () => {
  assert.equal(isLoud(line({ msg: "request" })), false);
  assert.equal(isLoud(line({ level: "debug" })), false);
  for (const level of ["warn", "error", "fatal"])
    assert.equal(isLoud(line({ level })), true, level);
  assert.equal(isLoud("TypeError: no"), true);
});
