import { create, type DescMessage, type DescMethodUnary, type Message } from "@bufbuild/protobuf";
import type { Interceptor, UnaryRequest, UnaryResponse } from "@connectrpc/connect";
import { AddressPool, type AddressPoolOptions } from "../resilience/address-pool.ts";
import { ownGetter } from "../rpc/own-getter.ts";
import { ClientCall } from "./client-call.ts";
import { createPooledStreams } from "./client-streams.ts";
import { type ExchangeResult, exchange } from "./exchange.ts";
import { encodeFrame } from "./frame.ts";
import { ReceivedMetadata, rawMetadata } from "./metadata.ts";
import type { GrpcTransport, GrpcTransportOptions } from "./transport.ts";

type Next = ReturnType<Interceptor>;

/** Ties a request to its call, through interceptors that copy the request too. */
const callKey: unique symbol = Symbol("call");
type BoundRequest = UnaryRequest & { readonly [callKey]?: ClientCall };

/** Ties a response to what was received. */
const receivedKey: unique symbol = Symbol("received");
type BoundResponse = UnaryResponse & { readonly [receivedKey]: ReceivedMetadata };

/**
 * Our own transport: unary calls go straight onto an HTTP/2 stream, streaming calls through the stock
 * transport over the same connections. Interceptors are composed once.
 * @param poolOptions for tests.
 */
export function createOwnGrpcTransport(
  options: GrpcTransportOptions & { readMaxBytes: number },
  poolOptions?: AddressPoolOptions,
): GrpcTransport {
  const { baseUrls, interceptors = [], readMaxBytes, defaultTimeoutMs } = options;
  const pool = new AddressPool(baseUrls, poolOptions);
  const origin = new URL(baseUrls[0] ?? "").origin;
  const send = (request: BoundRequest) => sendUnary(pool, readMaxBytes, request);
  const chain = interceptors.reduceRight((next, outer) => outer(next), send as Next);
  const close = () => pool.close();

  const unary: GrpcTransport["unary"] = async (
    method,
    signal,
    timeoutMs,
    header,
    input,
    values,
  ) => {
    const call = new ClientCall(signal, timeoutMs ?? defaultTimeoutMs, header, values);
    const request = requestOf(call, origin, method, create(method.input, input));
    if (interceptors.length === 0) return send(request) as never;
    try {
      const response = await chain(request);
      call.succeed();
      return response as never;
    } catch (error) {
      throw call.fail(error);
    }
  };
  const stream = createPooledStreams(pool, origin, { ...options, readMaxBytes });
  const addresses = () => pool.snapshot();
  return { unary, stream, addresses, close, [Symbol.asyncDispose]: close };
}

const header = ownGetter<BoundRequest>((request) => request[callKey]?.header);
const signal = ownGetter<BoundRequest>((request) => request[callKey]?.signal);
const contextValues = ownGetter<BoundRequest>((request) => request[callKey]?.contextValues);

/** What interceptors see. */
function requestOf(
  call: ClientCall,
  origin: string,
  method: DescMethodUnary,
  message: Message,
): BoundRequest {
  const request = {
    [callKey]: call,
    stream: false,
    service: method.parent,
    method,
    requestMethod: "POST",
    url: origin + pathOf(method),
    message,
  } as BoundRequest;
  Object.defineProperty(request, "header", header);
  Object.defineProperty(request, "signal", signal);
  Object.defineProperty(request, "contextValues", contextValues);
  call.request = request;
  return request;
}

/** The innermost step: to the wire and back. An interceptor may have replaced any part of the request. */
async function sendUnary(
  pool: AddressPool,
  readMaxBytes: number,
  request: BoundRequest,
): Promise<UnaryResponse> {
  const { method, message, [callKey]: call } = request;
  const untouched = call?.request === request;
  const result = await exchange(pool, {
    output: method.output,
    path: pathOf(method),
    metadata: untouched ? call.metadata : rawMetadata(request.header),
    frame: encodeFrame(method.input, message),
    readMaxBytes,
    deadlineAtMs: call?.deadlineAtMs,
    signal: untouched ? call.callerSignal : request.signal,
  });
  return responseOf(method, result);
}

const responseHeader = ownGetter<BoundResponse>((response) => response[receivedKey].header);
const responseTrailer = ownGetter<BoundResponse>((response) => response[receivedKey].trailer);

/** Headers and trailers are made of the received ones when someone looks at them. */
function responseOf(
  method: DescMethodUnary<DescMessage, DescMessage>,
  { message, header, trailer }: ExchangeResult,
): UnaryResponse {
  const response = {
    [receivedKey]: new ReceivedMetadata(header, trailer),
    stream: false,
    service: method.parent,
    method,
    message,
  } as BoundResponse;
  Object.defineProperty(response, "header", responseHeader);
  Object.defineProperty(response, "trailer", responseTrailer);
  return response;
}

function pathOf(method: DescMethodUnary): string {
  return `/${method.parent.typeName}/${method.name}`;
}
