import assert from "node:assert/strict";
import { test } from "node:test";
import { freeMemory } from "./free-memory.ts";

test("a piece that is alone in its memory is empty afterwards", () => {
  const piece = Buffer.alloc(64 * 1024, "x");
  const memory = piece.buffer;
  freeMemory(piece);
  assert.equal(piece.length, 0);
  assert.equal(memory.byteLength, 0);
  freeMemory(piece);
});

test("what others share stays as it is", () => {
  const memory = Buffer.alloc(100, "x");
  const [mine, other] = [memory.subarray(0, 50), memory.subarray(50)];
  freeMemory(mine);
  assert.equal(String(other), "x".repeat(50));
  const [small, neighbour] = [Buffer.from("small"), Buffer.from("neighbour")];
  freeMemory(small);
  assert.equal(String(neighbour), "neighbour");
});
