import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import fastifyPlugin from "fastify-plugin";

declare module "fastify" {
  interface FastifyRequest {
    /** W3C trace context: the client's, or one made here. */
    traceparent: string;
  }
}

/** Tells client and logs the request's id and its trace. The id itself is {@link requestIdOf}. */
export const requestId = fastifyPlugin(
  async (app) => {
    app.decorateRequest("traceparent", "");
    app.addHook("onRequest", async (request, reply) => {
      request.traceparent = traceparentOf(request.raw);
      reply.header(metadata.requestId, request.id);
      reply.header(metadata.traceparent, request.traceparent);
    });
  },
  { name: "request-id" },
);

/** The client's `X-Request-ID` if it can stand in a log line as it is, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers[metadata.requestId];
  return typeof given === "string" && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The client's `traceparent` if it is well formed (W3C Trace Context, level 1), else one that is not sampled. */
export function traceparentOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers[metadata.traceparent];
  if (typeof given === "string" && isTraceparent(given)) return given;
  return `00-${traceId()}-${spanId()}-00`;
}

// By way of UUIDs, of which Node.js makes many at once. To ask for a few random bytes costs ten times as much.
const traceId = () => randomUUID().replaceAll("-", "");
const spanId = () => randomUUID().slice(19).replace("-", "");

function isTraceparent(text: string): boolean {
  const match = /^00-([\da-f]{32})-([\da-f]{16})-[\da-f]{2}$/.exec(text);
  return match !== null && !/^0+$/.test(match[1] ?? "0") && !/^0+$/.test(match[2] ?? "0");
}
