import { Code, type ConnectError, type Interceptor } from "@connectrpc/connect";
import { codeToString } from "@connectrpc/connect/protocol-connect";
import { Histogram, type Registry } from "@prometheus-io/client";
import { callerKey } from "../auth/caller.ts";
import type { Logger } from "../logger.ts";
import { metadata } from "../rpc/metadata.ts";
import { toConnectError } from "../rpc/service-error.ts";
import { traceIdOf } from "../tracing/traceparent.ts";

/**
 * The outermost interceptor of a service: one log line and one observation a call, with the request
 * id and the user. An error that nobody foresaw is logged here, once, and leaves as `internal`.
 */
export function logCalls(logger: Logger, registry: Registry, now: () => number): Interceptor {
  const duration = new Histogram({
    name: "rpc_server_duration_seconds",
    help: "Time a call took in the service, by method and Connect code",
    labelNames: ["method", "code"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  });
  return (next) => async (request) => {
    const startedAt = now();
    let error: ConnectError | undefined;
    try {
      return await next(request);
    } catch (thrown) {
      error = toConnectError(thrown);
      throw error;
    } finally {
      const seconds = (now() - startedAt) / 1000;
      const method = `${request.service.typeName}/${request.method.name}`;
      const code = error === undefined ? "ok" : codeToString(error.code);
      duration.observe({ method, code }, seconds);
      const requestId = request.header.get(metadata.requestId) ?? undefined;
      const traceId = traceIdOf(request.header.get(metadata.traceparent));
      const userId = request.contextValues.get(callerKey)?.userId;
      const unforeseen = error?.code === Code.Internal ? { err: error.cause } : undefined;
      const line = {
        requestId,
        traceId,
        userId,
        method,
        code,
        seconds: Math.round(seconds * 1e6) / 1e6,
        ...unforeseen,
      };
      if (unforeseen) logger.error(line, "call failed");
      else logger.info(line, "call");
    }
  };
}
