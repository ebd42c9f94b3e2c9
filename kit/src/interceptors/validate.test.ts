import assert from "node:assert/strict";
import { test } from "node:test";
import { CreateOrderRequestSchema, OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { fromJson } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { validate } from "./validate.ts";

const transport = createRouterTransport(
  ({ service }) => service(OrderService, { createOrder: () => ({}) }),
  { router: { interceptors: [validate([OrderService])] } },
);

async function violationsOf(order: { items: object[]; currencyCode: string }) {
  const message = fromJson(CreateOrderRequestSchema, order as never);
  const error = await createClient(OrderService, transport)
    .createOrder(message)
    .then(() => assert.fail("was accepted"), ConnectError.from);
  assert.equal(error.code, Code.InvalidArgument);
  return (error.findDetails(ViolationsSchema)[0]?.violations ?? []).map(({ ruleId }) => ruleId);
}

test("every broken rule of a message is told", async () => {
  const rules = await violationsOf({ items: [{ sku: "?", quantity: 0 }], currencyCode: "eur" });
  assert.deepEqual(rules, ["string.pattern", "int32.gte_lte", "string.pattern"]);
});

test("no more violations are told than a trailer can carry", async () => {
  const rules = await violationsOf({ items: Array(100).fill({}), currencyCode: "EUR" });
  assert.equal(rules.length, 20);
});

test("of a list that is far too long its length alone is told, without a look at the elements", async () => {
  const rules = await violationsOf({ items: Array(50_000).fill({}), currencyCode: "eur" });
  assert.deepEqual(rules, ["repeated.max_items"]);
});
