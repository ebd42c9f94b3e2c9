import assert from "node:assert/strict";
import { test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { type BytesValue, BytesValueSchema, StringValueSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import fc from "fast-check";
import { encodeFrame, FrameReader } from "./frame.ts";

const MAX_BYTES = 1_000;

function read(chunks: readonly Buffer[], maxBytes = MAX_BYTES): BytesValue | undefined {
  const reader = new FrameReader(maxBytes);
  for (const chunk of chunks) reader.push(chunk);
  return reader.finish(BytesValueSchema);
}

/** Cuts a buffer at these places. */
function cut(frame: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (frame.length + 1)), frame.length];
  places.sort((one, other) => one - other);
  return places.slice(1).map((end, index) => frame.subarray(places[index], end));
}

const hasCode = (code: Code) => (error: unknown) =>
  error instanceof ConnectError && error.code === code;

test("a message is the same again, in whatever pieces its frame arrives", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.array(fc.nat()), (value, places) => {
      const frame = Buffer.from(encodeFrame(BytesValueSchema, { value }));
      const message = read(cut(frame, places));
      assert.equal(Buffer.compare(message?.value ?? Buffer.of(1), value), 0);
    }),
  );
});

test("any beginning of a frame is incomplete, and nothing is nothing", () => {
  const frame = Buffer.from(
    encodeFrame(StringValueSchema, create(StringValueSchema, { value: "hello" })),
  );
  for (let length = 1; length < frame.length; length++) {
    assert.throws(() => read([frame.subarray(0, length)]), hasCode(Code.InvalidArgument));
  }
  assert.equal(read([]), undefined);
});

test("a message at the limit is read, and one byte more is refused as soon as it is announced", () => {
  const value = new Uint8Array(MAX_BYTES - 3);
  const frame = Buffer.from(encodeFrame(BytesValueSchema, { value }));
  assert.equal(frame.length, 5 + MAX_BYTES);
  assert.equal(read([frame])?.value.length, value.length);
  const announced = frame.subarray(0, 5);
  assert.throws(() => read([announced], MAX_BYTES - 1), hasCode(Code.ResourceExhausted));
});

test("a byte after the message is one too many", () => {
  const frame = Buffer.from(encodeFrame(BytesValueSchema, {}));
  assert.throws(() => read([frame, Buffer.of(0)]), hasCode(Code.Unimplemented));
});

test("arbitrary bytes give a message or a ConnectError, never anything else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        read([Buffer.from(bytes)]);
      } catch (error) {
        assert.ok(error instanceof ConnectError);
      }
    }),
  );
});
