import { traceIdOf } from "@3l1/kit/tracing/traceparent.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { clientAddress } from "../client-address.ts";
import { routeOf } from "../route-name.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** The Connect code of the answer, `ok` unless something failed. */
    outcome: string;
  }
}

/**
 * One line a request, once its answer is out or its client gone. It names the route, never the URL,
 * and holds no header, body or query value.
 */
export const accessLog = fastifyPlugin(
  async (app) => {
    app.decorateRequest("outcome", "ok");
    app.addHook("onRequest", (request, reply, done) => {
      logWhenDone(request, reply);
      done();
    });
  },
  { name: "access-log", dependencies: ["request-id"] },
);

/** Sees to the request's line. */
export function logWhenDone(request: FastifyRequest, reply: FastifyReply): void {
  const startedAt = performance.now();
  const ip = clientAddress(request);
  reply.raw.once("close", () => {
    const durationMs = Math.round((performance.now() - startedAt) * 1000) / 1000;
    logRequest(request, reply, { ip, durationMs });
  });
}

function logRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  { ip, durationMs }: { ip: string; durationMs: number },
): void {
  const left = !reply.raw.writableFinished;
  const line = {
    requestId: request.id,
    traceId: traceIdOf(request.traceparent),
    userId: request.identity?.caller?.userId,
    ip,
    method: request.method,
    route: routeOf(request),
    status: left ? 499 : reply.statusCode,
    code: left ? "canceled" : request.outcome,
    durationMs,
  };
  request.server.log.info(line, "request");
}
