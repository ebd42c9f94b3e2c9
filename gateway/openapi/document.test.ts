import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { PlatformService } from "@3l1/gen/platform/v1/platform_service_pb.ts";
import { UserService } from "@3l1/gen/user/v1/user_service_pb.ts";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { httpRoutesOf } from "../src/http-rule.ts";
import type { OpenApiDocument, Operation } from "./open-api.ts";

const file = new URL(import.meta.resolve("@3l1/gen/openapi.json"));
const document: OpenApiDocument = JSON.parse(await readFile(file, "utf8"));
const operations = Object.values(document.paths).flatMap((path) => Object.values(path));

test("the document is valid OpenAPI 3.1", async () => {
  const validator = new Validator();
  const { valid, errors } = await validator.validate(file.pathname);
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, "3.1");
});

test("every method with a route is in it", () => {
  const routes = [UserService, OrderService, PlatformService].flatMap(({ methods }) =>
    methods.flatMap(httpRoutesOf),
  );
  for (const { verb, path } of routes)
    assert.ok(document.paths[path]?.[verb.toLowerCase()], `${verb} ${path}`);
  assert.equal(operations.length, routes.length);
});

test("a stream is a stream of events, and resumes by a header", () => {
  const { parameters = [], responses } = document.paths["/api/orders/watch"]?.get ?? assert.fail();
  assert.deepEqual(
    parameters.map(({ name, in: place, schema }) => [name, place, schema.maxLength]),
    [["Last-Event-ID", "header", 64]],
  );
  const { schema, ...more } = responses[200]?.content?.["text/event-stream"] ?? assert.fail();
  assert.equal(schema.type, "string");
  assert.match(schema.description ?? "", /`created`.*`error`/);
  assert.deepEqual(more, {
    "x-event-data": { $ref: "#/components/schemas/order.v1.WatchOrdersResponse" },
  });
});

test("every operation, field and parameter says what it is for", () => {
  for (const { summary, description, parameters = [] } of operations) {
    assert.ok(summary.length > 0 && description.length >= summary.length);
    for (const parameter of parameters) assert.notEqual(parameter.description, "");
  }
  for (const [name, { description, properties = {} }] of Object.entries(
    document.components.schemas,
  )) {
    assert.ok(description, name);
    for (const [property, schema] of Object.entries(properties))
      assert.ok(schema.description, `${name}.${property}`);
  }
});

test("every schema compiles, and every example fits", () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: "document", ...document });
  const check = (pointer: string, value: unknown) => {
    const validate = ajv.compile({ $ref: `document#/${pointer}` });
    assert.ok(validate(value), `${pointer}: ${JSON.stringify(validate.errors)}`);
  };
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    assert.ok(ajv.validateSchema(schema), `${name}: ${JSON.stringify(ajv.errors)}`);
    for (const [property, { examples = [] }] of Object.entries(schema.properties ?? {}))
      for (const example of examples)
        check(`components/schemas/${name}/properties/${property}`, example);
  }
  for (const { operationId, requestBody, parameters = [] } of operations) {
    const { schema, example } = requestBody?.content["application/json"] ?? {};
    if (schema?.$ref) check(schema.$ref.slice("#/".length), example);
    for (const { name, schema } of parameters)
      for (const example of schema.examples ?? [])
        assert.ok(schema.$ref || ajv.validate({ ...schema }, example), `${operationId} ${name}`);
  }
});

test("the rules of the schema are bounds of requests", () => {
  const { schemas } = document.components;
  const { required, properties, additionalProperties } =
    schemas["order.v1.CreateOrderRequest"] ?? {};
  assert.deepEqual([required, additionalProperties], [["items", "currencyCode"], false]);
  const { items, note, currencyCode } = properties ?? {};
  assert.deepEqual([items?.minItems, items?.maxItems], [1, 100]);
  assert.deepEqual([note?.maxLength, currencyCode?.pattern], [1000, "^[A-Z]{3}$"]);
  const { quantity, unitPriceMinor } = schemas["order.v1.OrderItem.Input"]?.properties ?? {};
  assert.deepEqual([quantity?.minimum, quantity?.maximum], [1, 10_000]);
  assert.deepEqual(unitPriceMinor?.type, ["string", "integer"]);
  const { status, id } = schemas["order.v1.SetOrderStatusRequest"]?.properties ?? {};
  assert.ok(!status?.enum?.includes("ORDER_STATUS_UNSPECIFIED"));
  assert.equal(id?.format, "uuid");
  assert.equal(schemas["user.v1.RegisterRequest"]?.properties?.email?.format, "email");
});

test("answers promise every field that is always written, and numbers of 64 bits as strings", () => {
  const { required, properties } = document.components.schemas["order.v1.Order"] ?? {};
  assert.ok(required?.includes("note") && required.includes("items"));
  assert.ok(!required?.includes("createdAt"), "a message can be unset");
  assert.equal(properties?.totalMinor?.type, "string");
  assert.equal(properties?.createdAt?.format, "date-time");
  const introspected = document.components.schemas["user.v1.IntrospectResponse"];
  assert.deepEqual(introspected?.required, ["active"]);
});

test("operations tell their status, their errors and who may ask", () => {
  const operation = (path: string, verb: string): Operation =>
    document.paths[path]?.[verb] ?? assert.fail(path);
  const place = operation("/api/orders/add", "post");
  assert.ok(place.responses[201]?.content?.["application/json"]);
  assert.deepEqual(place.security, [{ token: [] }, { session: [] }]);
  assert.ok(place.parameters?.some(({ name }) => name === "Idempotency-Key"));
  const register = operation("/api/users/reg", "post");
  assert.deepEqual(register.security, []);
  assert.ok(register.responses[409] && register.responses[201]?.headers?.["Set-Cookie"]);
  const remove = operation("/api/orders/del", "delete");
  assert.equal(remove.responses[204]?.content, undefined);
  assert.deepEqual(
    remove.parameters?.map(({ name, required }) => [name, required]),
    [["id", true]],
  );
  for (const { responses } of operations)
    assert.equal(responses.default?.$ref, "#/components/responses/Problem");
});
