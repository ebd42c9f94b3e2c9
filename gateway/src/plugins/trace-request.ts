import type { Tracing } from "@3l1/kit/tracing/tracing.ts";
import type { FastifyReply, FastifyRequest } from "fastify";
import { routeOf } from "../route-name.ts";

/**
 * Begins the span of a request, which ends with its answer or when its client leaves. From then on the
 * request's `traceparent` is the span's.
 *
 * @param given the client's trace context, which decides whether there is a span
 */
export function traceRequest(
  tracing: Tracing,
  request: FastifyRequest,
  reply: FastifyReply,
  given: string | undefined,
): void {
  const { method, routeOptions } = request;
  const route = routeOf(request);
  const name = `${method} ${route}`;
  const isKnown = routeOptions.url !== undefined;
  const attributes = { "http.request.method": method, ...(isKnown && { "http.route": route }) };
  const span =
    given === undefined
      ? tracing.startRoot("server", name, attributes)
      : tracing.start("server", name, given, attributes);
  if (span === undefined) return;
  request.traceparent = span.traceparent;
  reply.raw.once("close", () => {
    const status = reply.raw.writableFinished ? reply.statusCode : 499;
    const failed = status >= 500;
    const error = failed ? { "error.type": request.outcome } : {};
    span.end({ failed, attributes: { "http.response.status_code": status, ...error } });
  });
}
