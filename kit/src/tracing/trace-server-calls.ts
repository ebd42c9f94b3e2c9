import type { Interceptor } from "@connectrpc/connect";
import { metadata } from "../rpc/metadata.ts";
import { callAttributes, callEnd, callName, untilEnd } from "./call-span.ts";
import type { Tracing } from "./tracing.ts";

/**
 * The outermost interceptor of a service that is traced: a span for each call whose caller records the
 * trace. What the handler does goes on in its name: the `traceparent` it finds is the span's.
 */
export function traceServerCalls(tracing: Tracing): Interceptor {
  return (next) => (request) => {
    const { header, method } = request;
    const parent = header.get(metadata.traceparent) ?? "";
    const span = tracing.start("server", callName(method), parent, callAttributes(method));
    if (span === undefined) return next(request);
    header.set(metadata.traceparent, span.traceparent);
    const end = (error?: unknown) => span.end(callEnd(error));
    return tracing.run(span, async () => {
      try {
        const response = await next(request);
        if (response.stream) return { ...response, message: untilEnd(response.message, end) };
        end();
        return response;
      } catch (error) {
        end(error);
        throw error;
      }
    });
  };
}
