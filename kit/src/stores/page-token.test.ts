import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { deriveKeys } from "../auth/secrets.ts";
import { createPageTokens } from "./page-token.ts";

const keys = deriveKeys(["a".repeat(32)], "page-token");
const newer = deriveKeys(["b".repeat(32), "a".repeat(32)], "page-token");
const query = JSON.stringify({ status: 1 });
const refused = (error: unknown) =>
  error instanceof ConnectError &&
  error.code === Code.InvalidArgument &&
  /page_token/.test(error.message);

test("a token brings back its position", () => {
  const tokens = createPageTokens(keys);
  assert.deepEqual(tokens.decode(tokens.encode(["2026-01-01", "id"], query), query), [
    "2026-01-01",
    "id",
  ]);
});

test("a token made under a retired secret is still good", () => {
  const token = createPageTokens(keys).encode(["x"], query);
  assert.deepEqual(createPageTokens(newer).decode(token, query), ["x"]);
});

test("a token of another query, a changed one and garbage are refused, naming the field", () => {
  const tokens = createPageTokens(keys);
  const token = tokens.encode(["x"], query);
  const forged = `${Buffer.from('["y"]').toString("base64url")}.${token.split(".")[1]}`;
  assert.throws(() => tokens.decode(token, "another"), refused);
  for (const bad of [forged, "", ".", "a.b.c", "%00", token.slice(0, -2)])
    assert.throws(() => tokens.decode(bad, query), refused, bad);
});
