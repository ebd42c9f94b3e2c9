import assert from "node:assert/strict";
import { after, test } from "node:test";
import { fromBinary } from "@bufbuild/protobuf";
import { ViolationsSchema } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { startGateway } from "../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  order: {
    createOrder: ({ items, note }) => ({ order: { items, note } }),
    listOrders: () => ({ orders: [] }),
  },
});
after(() => gateway[Symbol.asyncDispose]());
const authorization = `Bearer ${await gateway.tokens.issue()}`;

const orders = "/order.v1.OrderService";
const frame = (bytes: Buffer, flags = 0) => {
  const head = Buffer.from([flags, 0, 0, 0, 0]);
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
};
const post = (method: string, type: string, body: Buffer) =>
  gateway.fetch(`${orders}/${method}`, {
    method: "POST",
    headers: { authorization, "content-type": type },
    body,
  });
const list = (query: string) =>
  gateway.fetch(`${orders}/ListOrders?connect=v1&encoding=json&${query}`, {
    headers: { authorization },
  });
const text = async (response: Response) => decodeURIComponent(await response.text());

const ways: Record<string, (json: Buffer) => Promise<Response>> = {
  Connect: (json) => post("CreateOrder", "application/json", json),
  "gRPC-Web": (json) => post("CreateOrder", "application/grpc-web+json", frame(json)),
};
const item = (price: string) => `{"items": [{"sku": "a", "unitPriceMinor": ${price}}]}`;

for (const [way, send] of Object.entries(ways)) {
  test(`${way}: JSON that does not fit is refused, and each field named as REST names it`, async () => {
    for (const [json, words] of [
      [item("9007199254740993"), /items\[0\]\.unitPriceMinor: write a whole number beyond 2\^53/],
      [item("1.5"), /items\[0\]\.unitPriceMinor: must be a whole number of at most 64 bits/],
      ['{"items": [null], "nope": 1}', /items\[0\]: must be an object, and 1 more/],
      ['{"note": "a", "note": "b"}', /note: the key is there twice/],
      ['{"nope": 1}', /nope: there is no such field/],
      ["[]", /must be an object/],
      [Buffer.from('{"note": "\xff"}', "latin1"), /the body is not UTF-8/],
    ] as const) {
      const answer = await text(await send(Buffer.from(json)));
      assert.match(answer, words);
      assert.match(answer, /"code":"invalid_argument"|grpc-status: 3\r\n/);
    }
    assert.ok(!gateway.calls.some(({ method }) => method === "CreateOrder"));
  });

  test(`${way}: JSON that fits goes through`, async () => {
    const answer = await text(await send(Buffer.from(item('"9007199254740993"'))));
    assert.match(answer, /"unitPriceMinor":"9007199254740993"/);
    gateway.calls.length = 0;
  });
}

test("the violations are a detail of the error, all of them", async () => {
  const json = Buffer.from('{"items": [null], "nope": 1}');
  const response = await post("CreateOrder", "application/json", json);
  const { details } = (await response.json()) as { details: { type: string; value: string }[] };
  const detail = details.find(({ type }) => type === ViolationsSchema.typeName);
  const bytes = Buffer.from(detail?.value ?? "", "base64");
  const { violations } = fromBinary(ViolationsSchema, bytes);
  assert.deepEqual(
    violations.map(({ ruleId }) => ruleId),
    ["type.object", "json.unknown_field"],
  );
});

test("the JSON in a query is read as strictly, in base64 too", async () => {
  const ask = (json: string) => list(`message=${encodeURIComponent(json)}`);
  const askInBase64 = (json: string) =>
    list(`base64=1&message=${Buffer.from(json).toString("base64url")}`);
  for (const way of [ask, askInBase64]) {
    assert.match(await text(await way('{"nope": 1}')), /nope: there is no such field/);
    assert.match(await text(await way('{"pageSize": "x"}')), /pageSize: must be a whole number/);
    assert.equal((await way('{"pageSize": 5}')).status, 200);
  }
  assert.match(await text(await list("base64=1&message=_w")), /the body is not UTF-8/);
});

test("the JSON that asks for a stream is read as strictly", async () => {
  for (const type of ["application/connect+json", "application/grpc-web+json"]) {
    const asked = frame(Buffer.from('{"lastEventID": "1"}'));
    const answer = await text(await post("WatchOrders", type, asked));
    assert.match(answer, /lastEventID: there is no such field/, type);
  }
});

test("frames that are cut or compressed are told from JSON that does not fit", async () => {
  const json = Buffer.from('{"nope": 1}');
  for (const [body, words] of [
    [frame(json).subarray(0, 8), /incomplete envelope/],
    [frame(json, 1), /the message cannot be read/],
  ] as const)
    assert.match(await text(await post("CreateOrder", "application/grpc-web+json", body)), words);
});
