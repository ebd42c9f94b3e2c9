import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CreateOrderRequestSchema,
  ListOrdersRequestSchema,
  SetOrderStatusRequestSchema,
} from "@3l1/gen/order/v1/order_service_pb.ts";
import { IntrospectResponseSchema } from "@3l1/gen/user/v1/user_service_pb.ts";
import type { DescMessage } from "@bufbuild/protobuf";
import { ConnectError } from "@connectrpc/connect";
import { messageFromJson } from "./json-message.ts";
import { problemOf } from "./problem.ts";

/** The violations as `field rule`. */
function faults(desc: DescMessage, json: unknown): string[] {
  try {
    messageFromJson(desc, json);
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const { violations = [] } = problemOf(error, { requestId: "r", instance: "/" });
    return violations.map(({ field, rule }) => `${field} ${rule}`);
  }
  return assert.fail("accepted");
}

test("names of the schema and of JSON are both read", () => {
  const snake = messageFromJson(CreateOrderRequestSchema, { currency_code: "EUR" });
  const camel = messageFromJson(CreateOrderRequestSchema, { currencyCode: "EUR" });
  assert.deepEqual(snake, camel);
});

test("a field of the wrong type is named, wherever it is", () => {
  assert.deepEqual(
    faults(CreateOrderRequestSchema, {
      items: [{ sku: "a" }, { sku: 1, quantity: "many", unitPriceMinor: 1.5 }, 7],
      currencyCode: { EUR: true },
      note: ["x"],
    }),
    [
      "items[1].sku type.string",
      "items[1].quantity type.int32",
      "items[1].unitPriceMinor type.int64",
      "items[2] type.object",
      "currencyCode type.string",
      "note type.string",
    ],
  );
});

test("unknown fields are refused by name, wherever they are", () => {
  assert.deepEqual(faults(CreateOrderRequestSchema, { items: [{ "a.b": 1 }], role: "admin" }), [
    "items[0].a.b json.unknown_field",
    "role json.unknown_field",
  ]);
});

test("an enum takes its own names alone", () => {
  assert.deepEqual(faults(SetOrderStatusRequestSchema, { status: "DONE" }), ["status type.enum"]);
  assert.deepEqual(faults(SetOrderStatusRequestSchema, { status: {} }), ["status type.enum"]);
  messageFromJson(SetOrderStatusRequestSchema, { status: "ORDER_STATUS_DONE" });
});

test("what is no object is refused as a whole", () => {
  for (const json of [null, [], "x", 1, true])
    assert.deepEqual(faults(CreateOrderRequestSchema, json), [" type.object"]);
});

test("the same field by two names is refused", () => {
  assert.deepEqual(faults(ListOrdersRequestSchema, { pageSize: 1, page_size: 2 }), [
    "pageSize json.duplicate_key",
  ]);
});

test("numbers that do not fit their type are refused", () => {
  for (const quantity of [1.5, 2 ** 31, -(2 ** 31) - 1, Number.POSITIVE_INFINITY, "1e999", ""])
    assert.deepEqual(faults(CreateOrderRequestSchema, { items: [{ quantity }] }), [
      "items[0].quantity type.int32",
    ]);
});

test("a string that is no Unicode is refused", () => {
  assert.deepEqual(faults(CreateOrderRequestSchema, { note: "\ud800" }), ["note type.string"]);
});

test("a time that is none is refused", () => {
  assert.deepEqual(faults(IntrospectResponseSchema, { issuedAt: "yesterday" }), [
    "issuedAt type.timestamp",
  ]);
});

test("of very many faults only some are told", () => {
  assert.equal(faults(CreateOrderRequestSchema, { items: Array(10_000).fill(1) }).length, 20);
  const unknown = Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i]));
  assert.equal(faults(CreateOrderRequestSchema, unknown).length, 20);
});
