import assert from "node:assert/strict";
import { test } from "node:test";
import { OrderStatus } from "@3l1/gen/order/v1/order_pb.ts";
import { ListOrdersRequestSchema } from "@3l1/gen/order/v1/order_service_pb.ts";
import { LogoutRequestSchema } from "@3l1/gen/user/v1/user_service_pb.ts";
import type { DescMessage } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, UninterpretedOptionSchema } from "@bufbuild/protobuf/wkt";
import { ConnectError } from "@connectrpc/connect";
import { problemOf } from "./problem.ts";
import { messageFromQuery, refuseQuery } from "./query-message.ts";

function faults(read: () => unknown): string[] {
  try {
    read();
  } catch (error) {
    if (!(error instanceof ConnectError)) throw error;
    const { violations = [] } = problemOf(error, { requestId: "r", instance: "/" });
    return violations.map(({ field, rule }) => `${field} ${rule}`);
  }
  return assert.fail("accepted");
}
const faultsIn = (desc: DescMessage, query: string) => faults(() => messageFromQuery(desc, query));

test("parameters become fields of their types", () => {
  const message = messageFromQuery(
    ListOrdersRequestSchema,
    "pageSize=5&page_token=a%2Bb+c&status=ORDER_STATUS_DONE&userId=",
  );
  assert.equal(message.pageSize, 5);
  assert.equal(message.pageToken, "a+b c");
  assert.equal(message.status, OrderStatus.DONE);
  assert.equal(message.userId, "");
  assert.equal(messageFromQuery(ListOrdersRequestSchema, "status=3").status, OrderStatus.CANCELLED);
  assert.equal(messageFromQuery(LogoutRequestSchema, "everywhere=true").everywhere, true);
  const option = messageFromQuery(UninterpretedOptionSchema, "doubleValue=-1.5&stringValue=aGk=");
  assert.equal(option.doubleValue, -1.5);
  assert.deepEqual(option.stringValue, new TextEncoder().encode("hi"));
});

test("no parameters make an empty message", () => {
  for (const query of ["", "&", "&&"])
    assert.equal(messageFromQuery(ListOrdersRequestSchema, query).pageSize, undefined);
});

test("a repeated field is a repeated parameter", () => {
  const query = "dependency=a&public_dependency=1&dependency=b&public_dependency=2";
  const file = messageFromQuery(FileDescriptorProtoSchema, query);
  assert.deepEqual(file.dependency, ["a", "b"]);
  assert.deepEqual(file.publicDependency, [1, 2]);
});

test("parameters that stand in the path are fields too", () => {
  const message = messageFromQuery(ListOrdersRequestSchema, "pageSize=5", { user_id: "ann" });
  assert.deepEqual([message.pageSize, message.userId], [5, "ann"]);
});

test("a parameter that does not fit is named", () => {
  assert.deepEqual(faultsIn(ListOrdersRequestSchema, "pageSize=ten&status=DONE&pagesize=1"), [
    "pageSize type.int32",
    "status type.enum",
    "pagesize json.unknown_field",
  ]);
  assert.deepEqual(faultsIn(LogoutRequestSchema, "everywhere=1"), ["everywhere type.bool"]);
  assert.deepEqual(faultsIn(ListOrdersRequestSchema, "pageSize="), ["pageSize type.int32"]);
  assert.deepEqual(faultsIn(ListOrdersRequestSchema, "__proto__=1"), [
    "__proto__ json.unknown_field",
  ]);
});

test("a parameter that is there twice is refused", () => {
  assert.deepEqual(faultsIn(ListOrdersRequestSchema, "pageSize=1&pageSize=2"), [
    "pageSize query.once",
  ]);
  assert.deepEqual(faultsIn(ListOrdersRequestSchema, "pageSize=1&page_size=2"), [
    "pageSize json.duplicate_key",
  ]);
});

test("what is not percent-encoded UTF-8 is refused", () => {
  for (const query of ["pageToken=%", "pageToken=%ff", "pageToken=%c3%28"])
    assert.deepEqual(faultsIn(ListOrdersRequestSchema, query), ["pageToken query.encoding"]);
});

test("a route that takes a body takes no parameters", () => {
  refuseQuery("");
  assert.deepEqual(
    faults(() => refuseQuery("email=a&password=b")),
    ["email query.none", "password query.none"],
  );
});
