import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpRuleSchema } from "@3l1/gen/google/api/http_pb.ts";
import { OrderService, WatchOrdersResponseSchema } from "@3l1/gen/order/v1/order_service_pb.ts";
import { SigningKeySchema } from "@3l1/gen/user/v1/session_service_pb.ts";
import type { DescMessage } from "@bufbuild/protobuf";
import { MessageSchemas } from "./message-schemas.ts";

function schemaOf(desc: DescMessage, direction: "request" | "answer" = "answer") {
  const schemas = new MessageSchemas(OrderService.methods);
  const { $ref = "" } = schemas.message(desc, direction);
  const { components } = schemas;
  return components[$ref.replace("#/components/schemas/", "")] ?? assert.fail($ref);
}

test("of a oneof's fields there is at most one", () => {
  const { allOf, required } = schemaOf(WatchOrdersResponseSchema);
  const each = ["changed", "deletedId", "reset", "created", "heartbeat"].map((name) => ({
    required: [name],
  }));
  assert.deepEqual(allOf, [{ oneOf: [...each, { not: { anyOf: each } }] }]);
  assert.deepEqual(required, ["eventId"]);
});

test("a message may hold itself", () => {
  const { properties } = schemaOf(HttpRuleSchema);
  assert.deepEqual(properties?.additionalBindings?.items, {
    $ref: "#/components/schemas/google.api.HttpRule",
  });
});

test("bytes are base64, times are text", () => {
  const { properties } = schemaOf(SigningKeySchema);
  assert.equal(properties?.publicKey?.contentEncoding, "base64");
  assert.equal(properties?.notBefore?.format, "date-time");
});

test("a part of requests has a component of its own", () => {
  const [createOrder] = OrderService.methods;
  const item = createOrder?.input.field.items?.message ?? assert.fail("no items");
  assert.deepEqual(schemaOf(item, "request").required, ["sku", "quantity"]);
  assert.deepEqual(schemaOf(item).required, ["sku", "quantity", "unitPriceMinor"]);
});
