import { once } from "node:events";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { EchoRequestSchema, EchoResponseSchema } from "./gen/parity/v1/parity_pb.ts";

/** An HTTP/2 server that answers each stream as it is told to, right or wrong. */
export async function rawServer(
  onStream: (stream: http2.ServerHttp2Stream, session: http2.ServerHttp2Session) => void,
) {
  const server = http2.createServer();
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("stream", (stream) => {
      stream.on("error", () => {});
      stream.resume();
      onStream(stream, session);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sessions,
    async [Symbol.asyncDispose]() {
      const closed = once(server, "close");
      server.close();
      for (const session of sessions) session.destroy();
      await closed;
    },
  };
}

/** What came back from a request that was made by hand. */
export interface RawAnswer {
  readonly headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  readonly trailers: http2.IncomingHttpHeaders;
  readonly body: Buffer;
  /** The HTTP/2 error code with which the stream was closed. */
  readonly rstCode: number;
}

export const echoPath = "/parity.v1.ParityService/Echo";
export const grpcHeaders = { ":method": "POST", ":path": echoPath, te: "trailers" };
const grpcType = { "content-type": "application/grpc+proto" };

/** Sends a request made by hand: headers, chunks, and then the end of the stream, unless told not to. */
export async function rawRequest(
  port: number,
  headers: http2.OutgoingHttpHeaders,
  chunks: readonly Uint8Array[],
  end = true,
): Promise<RawAnswer> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  await settled(session);
  const stream = session.request({ ...grpcType, ...grpcHeaders, ...headers }, { endStream: false });
  const answer = { headers: {}, trailers: {}, body: Buffer.alloc(0), rstCode: 0 };
  stream.on("error", () => {});
  stream.on("response", (received) => Object.assign(answer.headers, received));
  stream.on("trailers", (received) => Object.assign(answer.trailers, received));
  stream.on("data", (chunk) => {
    answer.body = Buffer.concat([answer.body, chunk]);
  });
  for (const chunk of chunks) stream.write(chunk);
  if (end) stream.end();
  await new Promise((resolve) => stream.once("close", resolve));
  session.destroy();
  return { ...answer, rstCode: stream.rstCode ?? 0 };
}

/** Waits until each side knows the other's settings, limits included. */
async function settled(session: http2.ClientHttp2Session): Promise<void> {
  await once(session, "remoteSettings");
  await new Promise((resolve) => session.ping(resolve));
}

/** The `grpc-status` of an answer, wherever it stands. */
export function statusOf({ headers, trailers }: RawAnswer): string | undefined {
  return String(trailers["grpc-status"] ?? headers["grpc-status"]);
}

/** A length-prefixed frame with these flags, and a length that may lie. */
export function frame(body: Uint8Array, flags = 0, length = body.length): Buffer {
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, body]);
}

export function requestBody(text: string): Uint8Array {
  return toBinary(EchoRequestSchema, create(EchoRequestSchema, { text }));
}

export function responseBody(text: string): Uint8Array {
  return toBinary(EchoResponseSchema, create(EchoResponseSchema, { text }));
}
