import { ReasonSchema } from "@3l1/gen/platform/v1/error_pb.ts";
import { Code } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import type { ProblemBody } from "../src/problem.ts";
import type { JsonSchema } from "./json-schema.ts";

const codes = Object.values(Code).filter((code) => typeof code === "number");
const reasons = ReasonSchema.values.filter(({ number }) => number !== 0);

const properties: Record<keyof ProblemBody, JsonSchema> = {
  type: { const: "about:blank", description: "The code tells more than a type would." },
  title: { type: "string", description: "The status in words.", examples: ["Not Found"] },
  status: {
    type: "integer",
    description: "The HTTP status.",
    minimum: 400,
    maximum: 599,
    examples: [404],
  },
  detail: {
    type: "string",
    description: "What is wrong, for people.",
    examples: ["there is no such order"],
  },
  instance: {
    type: "string",
    description: "The path that was asked for, without its query.",
    examples: ["/api/orders/info"],
  },
  code: {
    type: "string",
    description: "The Connect code, for programs.",
    enum: codes.map(codeToString),
    examples: ["not_found"],
  },
  requestId: {
    type: "string",
    description: "Finds the request in the logs; as in `X-Request-ID`.",
    examples: ["8f1c2c4e-3b1f-4f0e-9b51-6d1d1c6f7a10"],
  },
  traceId: {
    type: "string",
    description:
      "Finds the request among traces, where it is part of one that is recorded; as in `traceparent`.",
    examples: ["4bf92f3577b34da6a3ce929d0e0e4736"],
  },
  reason: {
    type: "string",
    description: "Why, where the code alone does not tell.",
    enum: reasons.map(({ localName }) => localName.toLowerCase()),
  },
  violations: {
    type: "array",
    description: "For bad input: each field with the rule it breaks.",
    items: {
      type: "object",
      properties: {
        field: {
          type: "string",
          description: "Its place in JSON; empty for the whole input.",
          examples: ["items[0].quantity"],
        },
        rule: { type: "string", examples: ["int32.gte_lte"] },
        message: { type: "string", description: "What is wrong, for people." },
      },
      required: ["field", "rule", "message"],
    },
  },
};

/** Every error (RFC 9457). */
export const problemSchema: JsonSchema = {
  type: "object",
  description: "An error (RFC 9457).",
  properties,
  required: ["type", "title", "status", "detail", "instance", "code", "requestId"],
};
