import { randomUUID } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { metadata } from "@3l1/kit/rpc/metadata.ts";
import { isTraceparent, newTraceparent } from "@3l1/kit/tracing/traceparent.ts";
import { passableTracestate } from "@3l1/kit/tracing/tracestate.ts";
import type { Tracing } from "@3l1/kit/tracing/tracing.ts";
import fastifyPlugin from "fastify-plugin";
import { traceRequest } from "./trace-request.ts";

export interface RequestIdOptions {
  /** Records requests whose client does, and some of the others. Default: off. */
  readonly tracing?: Tracing | undefined;
}

declare module "fastify" {
  interface FastifyRequest {
    /** W3C trace context: the client's, or one made here; of the request's own span if it is recorded. */
    traceparent: string;
    /** What the client's tracing adds to its `traceparent`. Nothing without one. */
    tracestate: string | undefined;
  }
}

/** Tells client and logs the request's id and its trace. The id itself is {@link requestIdOf}. */
export const requestId = fastifyPlugin<RequestIdOptions>(
  async (app, { tracing }) => {
    app.decorateRequest("traceparent", "");
    app.decorateRequest("tracestate", undefined);
    app.addHook("onRequest", (request, reply, done) => {
      const given = givenTraceparent(request.raw);
      request.traceparent = given ?? newTraceparent();
      if (given !== undefined) request.tracestate = givenTracestate(request.raw);
      if (tracing !== undefined) traceRequest(tracing, request, reply, given);
      reply.header(metadata.requestId, request.id);
      reply.header(metadata.traceparent, request.traceparent);
      done();
    });
  },
  { name: "request-id" },
);

/** The client's `X-Request-ID` if it can stand in a log line as it is, else a new one. */
export function requestIdOf({ headers }: Pick<IncomingMessage, "headers">): string {
  const given = headers[metadata.requestId];
  return typeof given === "string" && /^[\w.-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The client's `traceparent` if it is well formed, else one that is not sampled. */
export function traceparentOf(request: Pick<IncomingMessage, "headers">): string {
  return givenTraceparent(request) ?? newTraceparent();
}

/** Node.js joins several headers of this name. */
function givenTracestate({ headers }: Pick<IncomingMessage, "headers">): string | undefined {
  const given = headers[metadata.tracestate];
  return typeof given === "string" ? passableTracestate(given) : undefined;
}

function givenTraceparent({ headers }: Pick<IncomingMessage, "headers">): string | undefined {
  const given = headers[metadata.traceparent];
  return typeof given === "string" && isTraceparent(given) ? given : undefined;
}
