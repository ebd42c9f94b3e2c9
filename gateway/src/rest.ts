import { Access, type MethodPolicy } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { policyOf } from "@3l1/kit/rpc/method-policy.ts";
import {
  type DescMethod,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  type DescService,
  type MessageShape,
  toJsonString,
} from "@bufbuild/protobuf";
import type { Transport } from "@connectrpc/connect";
import type { FastifyRequest, RouteHandlerMethod } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { badInput } from "./bad-input.ts";
import type { Forwarder } from "./forward.ts";
import { type HttpRoute, httpRoutesOf } from "./http-rule.ts";
import { messageFromJson } from "./json-message.ts";
import { isObject } from "./json-text.ts";
import { maxViolations } from "./limits.ts";
import { messageFromQuery, refuseQuery } from "./query-message.ts";
import { type StreamHandlerOptions, streamHandler } from "./rest-stream.ts";
import { queryOf } from "./route-name.ts";

/** A service that the public may call, and the way to it. */
export interface PublicService {
  readonly service: DescService;
  readonly transport: Transport;
}

export interface RestOptions {
  readonly services: readonly PublicService[];
  readonly forwarder: Forwarder;
  /** Aborted once those who watch are to come back to another process. */
  readonly ending: AbortSignal;
}

/** REST as the `google.api.http` options of the schema describe it. There is no code for any one method. */
export const rest = fastifyPlugin<RestOptions>(
  async (app, { services, forwarder, ending }) => {
    for (const { service, transport } of services)
      for (const method of service.methods)
        for (const route of httpRoutesOf(method))
          app.route({
            method: route.verb,
            url: route.path,
            // A stream has no end, so there is nothing that its head could tell beforehand.
            exposeHeadRoute: method.methodKind === "unary",
            config: { rpc: method, policy: publicPolicyOf(method) },
            handler: handlerOf(method, route, { transport, forwarder, ending }),
          });
  },
  { name: "rest", dependencies: ["authenticate", "json-body", "problem-details"] },
);

/** @throws when the schema gives a route to what is for processes of the platform alone. */
function publicPolicyOf(method: DescMethod): MethodPolicy {
  const policy = policyOf(method);
  if (policy.access === Access.INTERNAL)
    throw new Error(`${method.parent.typeName}.${method.name} is internal and must have no route`);
  return policy;
}

type HandlerOptions = Pick<StreamHandlerOptions, "transport" | "forwarder" | "ending">;

function handlerOf(
  method: DescMethod,
  route: HttpRoute,
  options: HandlerOptions,
): RouteHandlerMethod {
  const { transport, forwarder } = options;
  if (isUnary(method)) return unaryHandler(method, route, transport, forwarder);
  if (isServerStream(method))
    return streamHandler(method, {
      ...options,
      read: (request) => readMessage(method, route, request),
    });
  throw new Error(`${method.parent.typeName}.${method.name}: clients cannot stream to us`);
}

function isUnary(method: DescMethod): method is DescMethodUnary {
  return method.methodKind === "unary";
}

function isServerStream(method: DescMethod): method is DescMethodServerStreaming {
  return method.methodKind === "server_streaming";
}

function unaryHandler(
  method: DescMethodUnary,
  route: HttpRoute,
  transport: Transport,
  forwarder: Forwarder,
): RouteHandlerMethod {
  const policy = policyOf(method);
  const target = { method, policy, transport };
  const status = policy.successStatus || 200;
  return async (request, reply) => {
    const message = readMessage(method, route, request);
    const answer = await forwarder.unary(request, reply, target, message);
    reply.code(status);
    if (status === 204) return reply.send();
    reply.type("application/json; charset=utf-8");
    return toJsonString(method.output, answer, { alwaysEmitImplicit: true });
  };
}

function readMessage(
  method: DescMethod,
  { inBody }: HttpRoute,
  { body, raw, params }: FastifyRequest,
): MessageShape<DescMethod["input"]> {
  const query = queryOf(raw.url ?? "");
  const inPath = params as Record<string, string>;
  if (!inBody) {
    refuseBody(body);
    return messageFromQuery(method.input, query, inPath);
  }
  refuseQuery(query);
  const json = body === undefined ? {} : body;
  return messageFromJson(method.input, isObject(json) ? { ...json, ...inPath } : json);
}

/**
 * An empty object is no body either: many clients send one with every POST. The body of a GET means
 * nothing (RFC 9110, section 9.3.1) and is not looked at.
 */
function refuseBody(body: unknown): void {
  if (body === undefined) return;
  if (!isObject(body))
    throw badInput([{ path: [], rule: "type.object", message: "must be an object" }]);
  const names = Object.keys(body).slice(0, maxViolations);
  const message = "belongs into the query";
  const faults = names.map((name) => ({ path: [name], rule: "body.none", message }));
  if (faults.length > 0) throw badInput(faults);
}
