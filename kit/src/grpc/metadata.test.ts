import assert from "node:assert/strict";
import { test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { type HeadersInit, MAX_METADATA_BYTES, plainRawMetadata, rawMetadata } from "./metadata.ts";

test("an object with plain names and values becomes what Headers would make of it", () => {
  const metadata = {
    "x-one": "1",
    "x-empty": "",
    "x-spaces": "a b",
    te: "gzip",
    host: "elsewhere",
  };
  const raw = plainRawMetadata(metadata);
  assert.deepEqual(raw, ["x-one", "1", "x-empty", "", "x-spaces", "a b"]);
  assert.deepEqual(raw?.toSorted(), rawMetadata(new Headers(metadata)).toSorted());
});

test("what Headers would change or refuse is left to them", () => {
  const unusual: HeadersInit[] = [
    { "X-Upper": "1" },
    { "x-padded": " 1" },
    { "x-padded": "1\t" },
    { "x-lines": "1\r\nx-injected: 2" },
    { "x-latin": "ü" },
    { "not a name": "1" },
    { ":path": "/elsewhere" },
    [["x-one", "1"]],
    new Headers({ "x-one": "1" }),
  ];
  for (const metadata of unusual) assert.equal(plainRawMetadata(metadata), undefined);
});

test("too much of it is refused either way", () => {
  const metadata = { "x-large": "x".repeat(MAX_METADATA_BYTES) };
  const isRefused = (error: unknown) => ConnectError.from(error).code === Code.ResourceExhausted;
  assert.throws(() => plainRawMetadata(metadata), isRefused);
  assert.throws(() => rawMetadata(new Headers(metadata)), isRefused);
});
