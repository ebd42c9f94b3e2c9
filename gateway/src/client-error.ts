import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { Code, ConnectError } from "@connectrpc/connect";
import { problemOf, titleOf } from "./problem.ts";

/** What Node's HTTP parser gives up on. Anything else is a malformed request. */
const refusals: Record<string, { status: number; code: Code; message: string }> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    code: Code.ResourceExhausted,
    message: "the headers are too large",
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    code: Code.ResourceExhausted,
    message: "the chunk extensions are too large",
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    code: Code.DeadlineExceeded,
    message: "the request took too long to arrive",
  },
};
const malformed = { status: 400, code: Code.InvalidArgument, message: "the request is malformed" };

/** The handler of a server's `clientError`, and what has to watch the server for it. */
export interface ClientErrors {
  handle(error: NodeJS.ErrnoException, socket: Duplex): void;
  watch(server: Server): void;
}

/**
 * Answers what never became a request, on the bare socket, and closes it. An answer to an earlier
 * request on the same connection goes out first, whole.
 */
export function createClientErrors(): ClientErrors {
  const underWay = new WeakMap<Duplex, ServerResponse>();

  function handle(error: NodeJS.ErrnoException, socket: Duplex): void {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const response = underWay.get(socket);
    const isAnswering = response !== undefined && !response.writableFinished && !response.destroyed;
    if (isAnswering && (response.headersSent || response.req.complete))
      return void response.once("close", () => socket.destroy());
    socket.end(rawAnswer(error.code ?? ""), () => socket.destroy());
  }

  function watch(server: Server): void {
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      underWay.set(request.socket, response);
    });
  }

  return { handle, watch };
}

function rawAnswer(errorCode: string): string {
  const { status, code, message } = refusals[errorCode] ?? malformed;
  const requestId = randomUUID();
  const error = new ConnectError(message, code);
  const problem = problemOf(error, { requestId, instance: "/" });
  const body = JSON.stringify({ ...problem, status, title: titleOf(status) });
  const head = [
    `HTTP/1.1 ${status} ${titleOf(status)}`,
    "content-type: application/problem+json",
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${requestId}`,
    "cache-control: no-store",
    "x-content-type-options: nosniff",
    "connection: close",
  ];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
