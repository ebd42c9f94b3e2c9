import assert from "node:assert/strict";
import { test } from "node:test";
import { GrowingBuffer } from "./growing-buffer.ts";

test("pieces of any size come out whole and in order", () => {
  const pieces = [0, 1, 5, 4_090, 1, 10_000, 3].map((size, index) => Buffer.alloc(size, index));
  const buffer = new GrowingBuffer();
  for (const piece of pieces) buffer.append(piece);
  assert.equal(buffer.length, 14_100);
  assert.ok(buffer.bytes().equals(Buffer.concat(pieces)));
});

test("memory that is no longer needed is given back at once", () => {
  const buffer = new GrowingBuffer();
  buffer.append(Buffer.from("x"));
  const before = buffer.bytes();
  buffer.append(Buffer.alloc(100_000));
  assert.equal(before.length, 0);
  const after = buffer.bytes();
  buffer.free();
  assert.equal(after.length, 0);
});
