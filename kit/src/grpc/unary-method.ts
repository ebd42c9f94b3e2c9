import { create, type Message } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  type Interceptor,
  type UnaryRequest,
  type UnaryResponse,
} from "@connectrpc/connect";
import { ownGetter } from "../rpc/own-getter.ts";
import type { UnaryContext } from "./handler-context.ts";
import type { UnaryRoute } from "./routes.ts";

type Next = ReturnType<Interceptor>;

/** Runs a unary method, interceptors included. */
export type UnaryMethod = (message: Message, context: UnaryContext) => Promise<Message>;

/** Ties a request and its response to their context, through interceptors that copy them too. */
const contextKey: unique symbol = Symbol("context");
type BoundRequest = UnaryRequest & { readonly [contextKey]?: UnaryContext };
type BoundResponse = UnaryResponse & { readonly [contextKey]: UnaryContext };

/** Composes the interceptors around the handler, once for all calls. */
export function composeMethod(
  route: UnaryRoute,
  interceptors: readonly Interceptor[],
): UnaryMethod {
  const { method, handler } = route;
  const invoke = async (message: Message, context: UnaryContext): Promise<Message> =>
    create(method.output, (await handler(message as never, context)) as never);
  if (interceptors.length === 0) return invoke;

  const innermost = async (request: BoundRequest): Promise<UnaryResponse> => {
    const context = contextOf(request);
    return responseOf(context, await invoke(request.message, context));
  };
  const chain = interceptors.reduceRight((next, outer) => outer(next), innermost as Next);
  return async (message, context) => {
    const response = (await chain(requestOf(context, message))) as UnaryResponse;
    if (response !== context.response) context.replaceResponse(response.header, response.trailer);
    return response.message;
  };
}

const requestHeader = ownGetter<BoundRequest>((request) => request[contextKey]?.requestHeader);
const signal = ownGetter<BoundRequest>((request) => request[contextKey]?.signal);
const contextValues = ownGetter<BoundRequest>((request) => request[contextKey]?.values);

/** What interceptors see. */
function requestOf(context: UnaryContext, message: Message): UnaryRequest {
  const request = {
    [contextKey]: context,
    stream: false,
    service: context.service,
    method: context.method,
    requestMethod: context.requestMethod,
    url: context.url,
    message,
  } as BoundRequest;
  Object.defineProperty(request, "header", requestHeader);
  Object.defineProperty(request, "signal", signal);
  Object.defineProperty(request, "contextValues", contextValues);
  context.request = request;
  return request;
}

/** The context of a request that came through the interceptors, with what they replaced. */
function contextOf(request: BoundRequest): UnaryContext {
  const context = request[contextKey];
  if (context === undefined) {
    throw new ConnectError("an interceptor lost the call's context", Code.Internal);
  }
  if (request !== context.request) {
    const { header, signal, contextValues } = request;
    context.replaceRequest({ requestHeader: header, signal, values: contextValues });
  }
  return context;
}

const responseHeader = ownGetter<BoundResponse>((response) => response[contextKey].responseHeader);
const responseTrailer = ownGetter<BoundResponse>(
  (response) => response[contextKey].responseTrailer,
);

function responseOf(context: UnaryContext, message: Message): UnaryResponse {
  const response = {
    [contextKey]: context,
    stream: false,
    service: context.service,
    method: context.method,
    message,
  } as BoundResponse;
  Object.defineProperty(response, "header", responseHeader);
  Object.defineProperty(response, "trailer", responseTrailer);
  context.response = response;
  return response;
}
