import { Access, type MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { policyOf } from "@3l1/kit/rpc/method-policy.ts";
import type { DescField, DescMethod } from "@bufbuild/protobuf";
import { eventIdFieldOf } from "../src/event-stream.ts";
import type { HttpRoute } from "../src/http-rule.ts";
import { commentOf, summaryOf } from "./comment.ts";
import { exampleOfMessage } from "./example.ts";
import type { MessageSchemas } from "./message-schemas.ts";
import type { Operation, Parameter } from "./open-api.ts";
import { responsesOf } from "./responses.ts";

const audience: Partial<Record<Access, string>> = {
  [Access.ANYONE]: "For anyone.",
  [Access.SESSION]: "For whoever holds the session, its access token expired or not.",
  [Access.USER]: "For users.",
  [Access.ADMIN]: "For administrators.",
};

/** A route of a method as an operation of the document. */
export function operationOf(
  method: DescMethod,
  route: HttpRoute,
  index: number,
  schemas: MessageSchemas,
): Operation {
  const policy = policyOf(method);
  const comment = commentOf(method);
  const parameters = parametersOf(method, route, comment, schemas);
  const suffix = index === 0 ? "" : `_${index + 1}`;
  return {
    operationId: `${method.parent.name}_${method.name}${suffix}`,
    tags: [method.parent.name],
    summary: summaryOf(comment),
    description: `${comment}\n\n${audience[policy.access] ?? ""}`.trim(),
    security: securityOf(policy),
    ...(parameters.length > 0 && { parameters }),
    ...(route.inBody && { requestBody: bodyOf(method, schemas) }),
    responses: responsesOf(method, policy, comment, schemas),
  };
}

function securityOf({ access }: MethodPolicy): Operation["security"] {
  return access === Access.ANYONE ? [] : [{ token: [] }, { session: [] }];
}

function bodyOf(
  method: DescMethod,
  schemas: MessageSchemas,
): NonNullable<Operation["requestBody"]> {
  const schema = schemas.message(method.input, "request");
  const example = exampleOfMessage(method.input);
  const isRequired = schemas.required(method.input).length > 0;
  return { required: isRequired, content: { "application/json": { schema, example } } };
}

function parametersOf(
  { input, methodKind }: DescMethod,
  { path, inBody }: HttpRoute,
  comment: string,
  schemas: MessageSchemas,
): Parameter[] {
  const inPath = new Set([...path.matchAll(/:(\w+)/g)].map(([, name]) => name));
  const required = new Set(schemas.required(input));
  const eventId = methodKind === "server_streaming" ? eventIdFieldOf(input) : undefined;
  const parameters = input.fields.flatMap((field) => {
    if (field === eventId) return [lastEventId(field, schemas)];
    if (inPath.has(field.name)) return [parameter(field, "path", true, schemas)];
    return inBody ? [] : [parameter(field, "query", required.has(field), schemas)];
  });
  return takesIdempotencyKey(comment) ? [...parameters, idempotencyKey] : parameters;
}

function parameter(
  field: DescField,
  place: "query" | "path",
  required: boolean,
  schemas: MessageSchemas,
): Parameter {
  const { description = "", ...schema } = schemas.field(field, "request");
  const name = place === "path" ? field.name : field.jsonName;
  return { name, in: place, required, description, schema };
}

/** A browser sends it by itself when it connects again. */
function lastEventId(field: DescField, schemas: MessageSchemas): Parameter {
  const { description: about = "", ...rules } = schemas.field(field, "request");
  const description = `${about} For clients that cannot set headers also as the parameter \`${field.jsonName}\`; the header counts for more.`;
  const schema = { ...rules, pattern: "^[\\x21-\\x7e]*$" };
  return { name: "Last-Event-ID", in: "header", required: false, description, schema };
}

/** The metadata is not a part of the schema; a method that heeds it says so. */
function takesIdempotencyKey(comment: string): boolean {
  return comment.includes("`idempotency-key`");
}

const idempotencyKey: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Made up by the client: repeats of the request with the same key count once.",
  schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,255}$" },
};
