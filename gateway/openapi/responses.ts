import { STATUS_CODES } from "node:http";
import { Access, type MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import type { DescMethod } from "@bufbuild/protobuf";
import { type Code, ConnectError } from "@connectrpc/connect";
import { codeFromString } from "@connectrpc/connect/protocol-connect";
import { eventNamesOf } from "../src/event-stream.ts";
import { statusOf } from "../src/problem.ts";
import type { MessageSchemas } from "./message-schemas.ts";
import type { Header, MediaType, Response } from "./open-api.ts";

/** Headers of answers, as components. */
export const answerHeaders: Readonly<Record<string, Header>> = {
  "X-Request-ID": {
    description: "Names the request in every log line: the client's own if it was well formed.",
    schema: { type: "string" },
  },
  "X-Access-Token": {
    description: "A new access token: the one that came has expired, and the session goes on.",
    schema: { type: "string" },
  },
  "X-Access-Token-Expires-In": {
    description: "The life of the new access token in seconds.",
    schema: { type: "integer" },
  },
  "Set-Cookie": {
    description: "The session key, or an empty one that clears it.",
    schema: { type: "string" },
  },
  RateLimit: {
    description: "Where the limits stand (draft-ietf-httpapi-ratelimit-headers).",
    schema: { type: "string" },
  },
  "RateLimit-Policy": {
    description: "The limits that apply (draft-ietf-httpapi-ratelimit-headers).",
    schema: { type: "string" },
  },
  "Retry-After": {
    description: "Seconds after which another try makes sense.",
    schema: { type: "integer" },
  },
  "WWW-Authenticate": {
    description: "`Bearer` without credentials, with an error code after bad ones (RFC 6750).",
    schema: { type: "string" },
  },
};

/** The one answer that all errors are. */
export const problemResponse: Response = {
  description: "An error.",
  headers: refer(
    "X-Request-ID",
    "X-Access-Token",
    "X-Access-Token-Expires-In",
    "Set-Cookie",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "WWW-Authenticate",
  ),
  content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
};

/**
 * What a method answers: its success, and the errors that its policy makes possible or its comment
 * names. Whatever else goes wrong is a problem as well.
 */
export function responsesOf(
  method: DescMethod,
  policy: MethodPolicy,
  comment: string,
  schemas: MessageSchemas,
): Record<string, Response> {
  const status = policy.successStatus || 200;
  const errors = new Set([...usualErrors(method, policy), ...namedErrors(comment)]);
  const problems = [...errors].sort().map((each) => [each, problem(STATUS_CODES[each] ?? "Error")]);
  return {
    [status]: success(status, method, policy, schemas),
    ...Object.fromEntries(problems),
    default: problem("Any other error"),
  };
}

function success(
  status: number,
  method: DescMethod,
  policy: MethodPolicy,
  schemas: MessageSchemas,
): Response {
  const renews = policy.access === Access.USER || policy.access === Access.ADMIN;
  return {
    description: STATUS_CODES[status] ?? "Success",
    headers: refer(
      "X-Request-ID",
      ...(renews ? ["X-Access-Token", "X-Access-Token-Expires-In"] : []),
      ...(renews || policy.sessionKey ? ["Set-Cookie"] : []),
      "RateLimit",
      "RateLimit-Policy",
    ),
    ...(status !== 204 && { content: contentOf(method, schemas) }),
  };
}

function contentOf(method: DescMethod, schemas: MessageSchemas): Record<string, MediaType> {
  const message = schemas.message(method.output, "answer");
  if (method.methodKind === "unary") return { "application/json": { schema: message } };
  const names = eventNamesOf(method.output).map((name) => `\`${name}\``);
  const description = `Events: ${names.join(", ")}, and last \`error\` if it fails. Comments in between keep the connection open.`;
  return {
    "text/event-stream": { schema: { type: "string", description }, "x-event-data": message },
  };
}

function usualErrors({ input }: DescMethod, { access }: MethodPolicy): number[] {
  return [
    ...(input.fields.length > 0 ? [400] : []),
    ...(access === Access.ANYONE ? [] : [401]),
    ...(access === Access.ADMIN ? [403] : []),
    429,
    503,
  ];
}

/** "Fails with `already_exists` when …" */
function namedErrors(comment: string): number[] {
  const codes = [...comment.matchAll(/`([a-z_]+)`/g)].map(([, name]) => codeFromString(name ?? ""));
  return codes
    .filter((code): code is Code => code !== undefined)
    .map((code) => statusOf(new ConnectError("", code)));
}

function problem(description: string): Response {
  return { $ref: "#/components/responses/Problem", description };
}

function refer(...names: string[]): Record<string, Header> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
