import { Access } from "@3l1/gen/platform/v1/method_policy_pb.ts";
import { policyOf } from "@3l1/kit/rpc/method-policy.ts";
import type { DescMethod, DescMethodServerStreaming, DescMethodUnary } from "@bufbuild/protobuf";
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
  type HandlerContext,
  type MethodImpl,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { BodyPlaces } from "./body-places.ts";
import { answer, enter, gate } from "./connect-exchange.ts";
import type { CallBounds, Forwarder, ForwardTarget } from "./forward.ts";
import { maxBinaryBodyBytes, maxTimeoutMs } from "./limits.ts";
import { noteError, publicErrorFor } from "./plugins/problem-details.ts";
import { readBody } from "./read-body.ts";
import type { PublicService } from "./rest.ts";
import { refuseLooseJson } from "./rpc-json.ts";

export interface ConnectOptions {
  readonly services: readonly PublicService[];
  readonly forwarder: Forwarder;
  /** Aborted once those who watch are to come back to another process. */
  readonly ending: AbortSignal;
  readonly places: BodyPlaces;
}

/**
 * The Connect and gRPC-Web protocols below `/<package>.<Service>/<Method>`, for unary methods and
 * server streams. What is internal has no route. Everything about the protocols, errors of the steps
 * before included, is left to the handlers of @connectrpc/connect.
 */
export async function connect(
  app: FastifyInstance,
  { services, forwarder, ending, places }: ConnectOptions,
): Promise<void> {
  const router = createConnectRouter({
    grpc: false,
    jsonOptions: { alwaysEmitImplicit: true },
    readMaxBytes: maxBinaryBodyBytes,
    maxTimeoutMs,
    requestGate: gate,
  });
  for (const { service, transport } of services)
    for (const method of service.methods) {
      const policy = policyOf(method);
      if (policy.access !== Access.INTERNAL)
        serve(router, { method, policy, transport }, forwarder, ending);
    }
  // JSON is read as for REST; all else is messages in frames, or not for us.
  app.addContentTypeParser("*", (request: FastifyRequest) =>
    readBody(request.raw, { maxBytes: maxBinaryBodyBytes, places }),
  );
  for (const handler of router.handlers) route(app, handler);
}

function route(app: FastifyInstance, handler: UniversalHandler): void {
  const { method, allowedMethods, requestPath } = handler;
  app.route({
    method: allowedMethods,
    url: requestPath,
    exposeHeadRoute: false,
    config: { rpc: method, policy: policyOf(method) },
    handler: async (request, reply) => {
      refuseLooseJson(method.input, request);
      return answer(handler, { request, reply, refusal: undefined });
    },
    errorHandler: (thrown, request, reply) => {
      const refusal = publicErrorFor(noteError(thrown, request, reply), request);
      return answer(handler, { request, reply, refusal });
    },
  });
}

function serve(
  router: ConnectRouter,
  target: ForwardTarget<DescMethod>,
  forwarder: Forwarder,
  ending: AbortSignal,
): void {
  const { method } = target;
  if (isUnary(target)) router.rpc(target.method, unary(target, forwarder));
  else if (isServerStream(target)) {
    // A method with options of its own forgets which protocols its router is for.
    const options: Partial<ConnectRouterOptions> = { grpc: false, shutdownSignal: ending };
    router.rpc(target.method, serverStream(target, forwarder), options);
  } else throw new Error(`${method.parent.typeName}.${method.name}: clients cannot stream to us`);
}

function unary(
  target: ForwardTarget<DescMethodUnary>,
  forwarder: Forwarder,
): MethodImpl<DescMethodUnary> {
  return async (message, context) => {
    const { request, reply } = enter(context);
    try {
      return await forwarder.unary(request, reply, target, message, boundsOf(context));
    } catch (error) {
      throw publicErrorFor(noteError(error, request, reply), request);
    }
  };
}

function serverStream(
  target: ForwardTarget<DescMethodServerStreaming>,
  forwarder: Forwarder,
): MethodImpl<DescMethodServerStreaming> {
  return async function* (message, context) {
    const { request, reply } = enter(context);
    try {
      yield* forwarder.stream(request, reply, target, message, boundsOf(context));
    } catch (error) {
      throw publicErrorFor(noteError(error, request, reply), request);
    }
  };
}

function boundsOf({ signal, timeoutMs }: HandlerContext): CallBounds {
  return { signal, timeoutMs: timeoutMs() };
}

function isUnary(target: ForwardTarget<DescMethod>): target is ForwardTarget<DescMethodUnary> {
  return target.method.methodKind === "unary";
}

function isServerStream(
  target: ForwardTarget<DescMethod>,
): target is ForwardTarget<DescMethodServerStreaming> {
  return target.method.methodKind === "server_streaming";
}
