import http2, { type ClientHttp2Stream, type OutgoingHttpHeaders } from "node:http2";
import { Code, ConnectError, type StreamResponse, type Transport } from "@connectrpc/connect";
import {
  createGrpcTransport,
  type GrpcTransportOptions as StockOptions,
} from "@connectrpc/connect-node";
import type { AddressPool } from "../resilience/address-pool.ts";
import { normalizeGrpcError, transportError } from "./error.ts";
import type { GrpcTransportOptions } from "./transport.ts";

/** Streaming calls of the stock transport over the connections of a pool. */
export function createPooledStreams(
  pool: AddressPool,
  origin: string,
  options: GrpcTransportOptions,
): Transport["stream"] {
  const sessionManager: NonNullable<StockOptions["sessionManager"]> = {
    authority: origin,
    request: (method, path, headers) => openStream(pool, method, path, headers),
    notifyResponseByteRead: () => {},
  };
  return normalizeStreams(
    createGrpcTransport({ ...options, baseUrl: origin, sessionManager }).stream,
  );
}

/** The same calls, with errors that tell an upstream's failure from our own cancel. */
export function normalizeStreams(stream: Transport["stream"]): Transport["stream"] {
  return async (method, signal, timeoutMs, header, input, contextValues) => {
    try {
      const answer = await stream(method, signal, timeoutMs, header, input, contextValues);
      return { ...answer, message: normalizeMessages(answer.message, signal) } as typeof answer;
    } catch (error) {
      throw normalizeGrpcError(error, signal);
    }
  };
}

async function* normalizeMessages(
  messages: StreamResponse["message"],
  signal: AbortSignal | undefined,
): StreamResponse["message"] {
  try {
    yield* messages;
  } catch (error) {
    throw normalizeGrpcError(cutShort(error) ?? error, signal);
  }
}

/**
 * Makes the call fail whose stream closes before the answer, and gives the stream back. When a connection
 * is reset after a GOAWAY, Node.js closes its streams without an error, and connect-node waits for ever.
 */
export function failUnanswered(stream: ClientHttp2Stream): ClientHttp2Stream {
  let answered = false;
  stream.once("response", () => {
    answered = true;
  });
  stream.once("close", () => {
    if (answered || stream.rstCode !== http2.constants.NGHTTP2_NO_ERROR) return;
    stream.emit("error", transportError("the connection ended before the answer", true));
  });
  return stream;
}

/** A stream that is cut looks to the stock transport like one whose status is missing. */
function cutShort(error: unknown): ConnectError | undefined {
  if (!(error instanceof ConnectError) || error.code !== Code.Internal) return undefined;
  if (error.rawMessage !== "protocol error: missing status") return undefined;
  return transportError("the stream ended without a status", true, error);
}

async function openStream(
  pool: AddressPool,
  method: string,
  path: string,
  headers: OutgoingHttpHeaders,
): Promise<ClientHttp2Stream> {
  const endpoint = pool.pick() ?? (await pool.acquire());
  const { session, scheme, authority } = endpoint;
  if (session === undefined) throw transportError("the connection went away", false);
  const rawHeaders = [":method", method, ":scheme", scheme, ":authority", authority, ":path", path];
  for (const [name, value] of Object.entries(headers)) {
    for (const each of [value ?? []].flat()) rawHeaders.push(name, String(each));
  }
  const stream = failUnanswered(session.open(rawHeaders));
  endpoint.callsUnderWay += 1;
  let heard = false;
  stream.once("response", () => {
    heard = true;
    endpoint.succeeded(performance.now());
  });
  stream.once("close", () => {
    endpoint.callsUnderWay -= 1;
    session.released(heard);
  });
  return stream;
}
