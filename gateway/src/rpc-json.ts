import type { DescMessage } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { FastifyRequest } from "fastify";
import { decodeUtf8, readJson } from "./json-bytes.ts";
import { messageFromJson } from "./json-message.ts";
import { queryOf } from "./route-name.ts";

const framedJson = /^application\/(?:grpc-web|connect)\+json\b/i;
const frameHeadBytes = 5;
/** Compressed, or no message but trailers: the handlers of Connect say what is wrong with those. */
const notPlain = 0x81;

/**
 * Reads JSON in frames, and in the query of a GET, as strictly as the body of any other request. The
 * handlers of Connect would round whole numbers, and pass over bad UTF-8 and over fields that are not there.
 *
 * @throws ConnectError `invalid_argument` that names every field that does not fit
 */
export function refuseLooseJson(input: DescMessage, request: FastifyRequest): void {
  for (const text of textsOf(request)) messageFromJson(input, readJson(text));
}

/** What keeps a body of plain JSON from becoming a message; `undefined` if nothing does. */
export function faultOfJson(input: DescMessage, body: unknown): ConnectError | undefined {
  if (body === undefined || Buffer.isBuffer(body)) return undefined;
  try {
    messageFromJson(input, body);
    return undefined;
  } catch (error) {
    return error as ConnectError;
  }
}

function* textsOf({ method, raw, body, headers }: FastifyRequest): Generator<string> {
  if (method === "GET") yield* textInQuery(new URLSearchParams(queryOf(raw.url ?? "")));
  else if (Buffer.isBuffer(body) && framedJson.test(headers["content-type"] ?? ""))
    yield* textsInFrames(body);
}

function* textInQuery(query: URLSearchParams): Generator<string> {
  if (query.get("encoding") !== "json" || query.has("compression")) return;
  const message = query.get("message") ?? "";
  const isBase64 = query.get("base64") === "1";
  yield isBase64 ? decodeUtf8(Buffer.from(message, "base64url")) : message;
}

function* textsInFrames(body: Buffer): Generator<string> {
  for (let at = 0; at + frameHeadBytes <= body.length; ) {
    const start = at + frameHeadBytes;
    const end = start + body.readUInt32BE(at + 1);
    if (end > body.length) return;
    if ((body.readUInt8(at) & notPlain) === 0) yield decodeUtf8(body.subarray(start, end));
    at = end;
  }
}
