import assert from "node:assert/strict";
import { test } from "node:test";
import { file_google_api_annotations, http } from "@3l1/gen/google/api/annotations_pb.ts";
import { type HttpRule, HttpRuleSchema } from "@3l1/gen/google/api/http_pb.ts";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import {
  create,
  createFileRegistry,
  type MessageInitShape,
  setExtension,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, MethodOptionsSchema } from "@bufbuild/protobuf/wkt";
import { httpRoutesOf } from "./http-rule.ts";

/** A method whose schema has this rule. */
function methodWith(rule: MessageInitShape<typeof HttpRuleSchema>) {
  const options = create(MethodOptionsSchema);
  setExtension(options, http, create(HttpRuleSchema, rule) as HttpRule);
  const method = { name: "Do", inputType: ".test.M", outputType: ".test.M", options };
  const file = create(FileDescriptorProtoSchema, {
    name: "test.proto",
    package: "test",
    syntax: "proto3",
    dependency: [file_google_api_annotations.proto.name],
    messageType: [{ name: "M" }],
    service: [{ name: "S", method: [method] }],
  });
  const registry = createFileRegistry(file, () => file_google_api_annotations);
  const service = registry.getService("test.S");
  const [found] = service?.methods ?? [];
  return found ?? assert.fail("no method");
}

test("a route is what the schema says", () => {
  assert.deepEqual(httpRoutesOf(OrderService.method.createOrder), [
    { verb: "POST", path: "/api/orders/add", inBody: true },
  ]);
  assert.deepEqual(httpRoutesOf(OrderService.method.deleteOrder), [
    { verb: "DELETE", path: "/api/orders/del", inBody: false },
  ]);
});

test("a method may have several routes, and fields in its path", () => {
  const method = methodWith({
    pattern: { case: "get", value: "/api/things/{thing_id}" },
    additionalBindings: [{ pattern: { case: "put", value: "/api/thing" }, body: "*" }],
  });
  assert.deepEqual(httpRoutesOf(method), [
    { verb: "GET", path: "/api/things/:thing_id", inBody: false },
    { verb: "PUT", path: "/api/thing", inBody: true },
  ]);
});

test("a schema that asks for more than the gateway can do stops the start", () => {
  const get = (value: string) => ({ case: "get" as const, value });
  assert.throws(() => httpRoutesOf(methodWith({})), /test\.S\.Do: its route needs get/);
  assert.throws(
    () => httpRoutesOf(methodWith({ pattern: get("/a"), body: "thing" })),
    /test\.S\.Do: the body/,
  );
  for (const path of ["/a/{b=c/*}", "/a/*", "/a:b", "a", "/a//b", ""])
    assert.throws(() => httpRoutesOf(methodWith({ pattern: get(path) })), /its path/);
});
