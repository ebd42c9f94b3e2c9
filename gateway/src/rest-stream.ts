import { Readable } from "node:stream";
import { policyOf } from "@3l1/kit/rpc/method-policy.ts";
import type { DescMethodServerStreaming, MessageShape } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import type { Transport } from "@connectrpc/connect";
import type { FastifyReply, FastifyRequest, RouteHandlerMethod } from "fastify";
import { encodeEvent, eventFormatOf, eventIdFieldOf } from "./event-stream.ts";
import { type Forwarder, leaving } from "./forward.ts";
import { reconnectMaxMs, reconnectMinMs } from "./limits.ts";
import { noteError, problemFor } from "./plugins/problem-details.ts";

type Method = DescMethodServerStreaming;
type Messages = AsyncIterator<MessageShape<Method["output"]>>;

export interface StreamHandlerOptions {
  readonly transport: Transport;
  readonly forwarder: Forwarder;
  /** Aborted once those who watch are to come back to another process. */
  readonly ending: AbortSignal;
  /** Reads the request's message. */
  readonly read: (request: FastifyRequest) => MessageShape<Method["input"]>;
}

/**
 * Serves a stream as `text/event-stream` (WHATWG HTML, server-sent events). What goes wrong before the
 * first message is answered as any error is; later it is the last event, `error`, with the problem as
 * its data. A client that reads slowly slows the service down, and one that leaves ends the call.
 */
export function streamHandler(method: Method, options: StreamHandlerOptions): RouteHandlerMethod {
  const { transport, forwarder, ending, read } = options;
  const target = { method, policy: policyOf(method), transport };
  const format = eventFormatOf(method.output);

  async function* events(
    first: IteratorResult<MessageShape<Method["output"]>>,
    messages: Messages,
    request: FastifyRequest,
    reply: FastifyReply,
  ): AsyncGenerator<string> {
    yield `retry: ${reconnectMs()}\n\n`;
    try {
      for (let next = first; !next.done; next = await messages.next())
        yield format.encode(next.value);
    } catch (thrown) {
      yield encodeEvent("error", problemFor(noteError(thrown, request, reply), request));
    }
  }

  return async (request, reply) => {
    const message = read(request);
    resume(method, message, request);
    const signal = AbortSignal.any([leaving(reply), ending]);
    const answer = forwarder.stream(request, reply, target, message, { signal });
    const messages = answer[Symbol.asyncIterator]();
    const first = await messages.next();
    reply.type("text/event-stream; charset=utf-8");
    reply.header("cache-control", "no-store");
    // Nginx, and others that took the header over, would wait for more before they pass anything on.
    reply.header("x-accel-buffering", "no");
    const body = Readable.from(events(first, messages, request, reply), { objectMode: false });
    // Also when the client has left before anything was read.
    body.once("close", () => void messages.return?.().catch(() => {}));
    return reply.send(body);
  };
}

/** `Last-Event-ID` is newer than what the address says: a browser sends it with the same address again. */
function resume(
  { input }: Method,
  message: MessageShape<Method["input"]>,
  { headers }: FastifyRequest,
): void {
  const field = eventIdFieldOf(input);
  const lastEventId = headers["last-event-id"];
  if (field !== undefined && typeof lastEventId === "string" && lastEventId !== "")
    reflect(input, message).set(field, lastEventId);
}

/** Spread, so that those who were cut together don't come back together. */
function reconnectMs(): number {
  return Math.round(reconnectMinMs + Math.random() * (reconnectMaxMs - reconnectMinMs));
}
