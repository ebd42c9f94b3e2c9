import { Readable } from "node:stream";
import type { JsonValue } from "@bufbuild/protobuf";
import {
  Code,
  ConnectError,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import {
  createAsyncIterable,
  readAllBytes,
  type UniversalHandler,
  type UniversalServerResponse,
} from "@connectrpc/connect/protocol";
import type { FastifyReply, FastifyRequest } from "fastify";
import { badInput } from "./bad-input.ts";
import { leaving } from "./forward.ts";
import { noteError, publicErrorFor, sendProblem } from "./plugins/problem-details.ts";
import { notRpc } from "./refusal.ts";
import { faultOfJson } from "./rpc-json.ts";

/** A request of Fastify's on its way through a handler of Connect's. */
export interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Why a step before the handler turned the request away. The handler tells it in its protocol. */
  readonly refusal: ConnectError | undefined;
  /** Whether a handler of ours has been called, with the message. */
  isRead?: boolean;
  /** What the client is told instead, when its message cannot be read. */
  unreadable?: ConnectError;
}

const exchangeKey = createContextKey<Exchange | undefined>(undefined, { description: "exchange" });

/** The exchange that a handler of ours is called for. */
export function enter(context: HandlerContext): Exchange {
  const exchange = exchangeOf(context);
  exchange.isRead = true;
  return exchange;
}

function exchangeOf({ values }: Pick<HandlerContext, "values">): Exchange {
  const exchange = values.get(exchangeKey);
  if (exchange === undefined) throw new Error("the handler was called without an exchange");
  return exchange;
}

/** Runs before a handler reads anything: throws what the request was turned away with. */
export function gate(context: HandlerContext): void {
  const exchange = exchangeOf(context);
  const { request, reply, refusal } = exchange;
  const { signal } = context;
  // What the handler itself refuses, such as a malformed message, ends up here alone.
  const note = () => {
    const { reason } = signal;
    const isError = reason instanceof Error && reason.name !== "AbortError";
    if (!isError || request.outcome !== "ok") return;
    const thrown = exchange.isRead ? reason : asRefusal(reason, context, request);
    const error = noteError(thrown, request, reply);
    if (!exchange.isRead) exchange.unreadable = publicErrorFor(error, request);
  };
  signal.addEventListener("abort", note);
  if (refusal !== undefined) throw refusal;
}

/**
 * Connect takes bytes that are no message for a failure of the server, but nothing of ours has run yet. Of JSON
 * that does not fit it names the first fault alone, in words of its own.
 */
function asRefusal(reason: Error, { method }: HandlerContext, { body }: FastifyRequest): Error {
  const { code } = ConnectError.from(reason, Code.Internal);
  if (code === Code.InvalidArgument) return faultOfJson(method.input, body) ?? reason;
  if (code !== Code.Internal) return reason;
  return badInput([{ path: [], rule: "type.message", message: "the message cannot be read" }]);
}

/** Answers a request by a handler of Connect's. */
export async function answer(handler: UniversalHandler, exchange: Exchange): Promise<FastifyReply> {
  const { request, reply, refusal } = exchange;
  const { raw } = request;
  const result = await handler({
    httpVersion: raw.httpVersion,
    method: request.method,
    url: new URL(raw.url ?? "/", "http://gateway").href,
    header: headersOf(request),
    body: bodyOf(request),
    signal: leaving(reply),
    contextValues: createContextValues().set(exchangeKey, exchange),
  });
  const { unreadable } = exchange;
  if (unreadable !== undefined) return answer(handler, { request, reply, refusal: unreadable });
  // Nobody is there any more to take an answer.
  if (reply.raw.destroyed) return reply.hijack();
  // Without a body it is of no protocol that the handler speaks.
  if (result.body === undefined) return sendProblem(refusal ?? notRpc(), request, reply);
  result.header?.forEach((value, name) => void reply.header(name, value));
  return reply.code(result.status).send(await payloadOf(result, result.body));
}

/** JSON arrives parsed, all else as bytes, and nothing after a refusal. */
function bodyOf({ body }: FastifyRequest): AsyncIterable<Uint8Array> | JsonValue {
  if (body === undefined) return createAsyncIterable([]);
  return Buffer.isBuffer(body) ? createAsyncIterable([body]) : (body as JsonValue);
}

function headersOf({ raw }: FastifyRequest): Headers {
  const headers = new Headers();
  for (const [name, values] of Object.entries(raw.headersDistinct))
    for (const value of values ?? []) headers.append(name, value);
  return headers;
}

/** With a length it is one message, which may be compressed as a whole; else frames, sent as they come. */
async function payloadOf(
  { header }: UniversalServerResponse,
  body: AsyncIterable<Uint8Array>,
): Promise<Buffer | Readable> {
  if (!header?.has("content-length")) return Readable.from(body, { objectMode: false });
  return Buffer.from(await readAllBytes(body, Number.MAX_SAFE_INTEGER));
}
