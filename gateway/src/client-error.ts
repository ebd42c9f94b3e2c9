import { randomUUID } from "node:crypto";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { newTraceparent } from "@3l1/kit/tracing/traceparent.ts";
import { Code, ConnectError } from "@connectrpc/connect";
import { lingeringClose } from "./lingering-close.ts";
import { problemOf, titleOf } from "./problem.ts";
import { isTooLarge } from "./read-body.ts";

interface Refusal {
  readonly status: number;
  readonly code: Code;
  readonly message: string;
}

/** What Node's HTTP parser gives up on. Anything else is a malformed request. */
const refusals: Record<string, Refusal> = {
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
const unmetExpectation = {
  status: 417,
  code: Code.InvalidArgument,
  message: "only 100-continue can be expected",
};
const malformed = { status: 400, code: Code.InvalidArgument, message: "the request is malformed" };

/** The handler of a server's `clientError`, and what has to watch the server for it. */
export interface ClientErrors {
  handle(error: NodeJS.ErrnoException, socket: Socket): void;
  watch(server: Server): void;
}

/**
 * Answers what never became a request, on the bare socket, and closes it. An answer to an earlier
 * request on the same connection goes out first, whole.
 */
export function createClientErrors(): ClientErrors {
  const underWay = new WeakMap<Socket, ServerResponse>();

  function handle(error: NodeJS.ErrnoException, socket: Socket): void {
    if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
    const response = underWay.get(socket);
    const isAnswering = response !== undefined && !response.writableFinished && !response.destroyed;
    if (isAnswering && (response.headersSent || response.req.complete))
      return void response.once("close", () => socket.destroy());
    socket.write(rawAnswer(refusals[error.code ?? ""] ?? malformed));
    lingeringClose(socket);
  }

  function watch(server: Server): void {
    server.prependListener("request", (request: IncomingMessage, response: ServerResponse) => {
      underWay.set(request.socket, response);
    });
    server.on("checkExpectation", (_request: IncomingMessage, response: ServerResponse) => {
      const { status, headers, body } = answerTo(unmetExpectation);
      response.writeHead(status, headers).end(body);
    });
    // Asked first, a client need not send a body only to hear that it is too large.
    server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
      if (!isTooLarge(request)) response.writeContinue();
      server.emit("request", request, response);
    });
  }

  return { handle, watch };
}

function answerTo({ status, code, message }: Refusal) {
  const requestId = randomUUID();
  const problem = problemOf(new ConnectError(message, code), { requestId, instance: "/" });
  const body = JSON.stringify({ ...problem, status, title: titleOf(status) });
  const headers = {
    "content-type": "application/problem+json",
    "content-length": Buffer.byteLength(body),
    [metadata.requestId]: requestId,
    [metadata.traceparent]: newTraceparent(),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    connection: "close",
  };
  return { status, headers, body };
}

/** For a socket without a request: nothing but ourselves writes the HTTP around it. */
function rawAnswer(refusal: Refusal): string {
  const { status, headers, body } = answerTo(refusal);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${status} ${titleOf(status)}`, ...lines, "", body].join("\r\n");
}
