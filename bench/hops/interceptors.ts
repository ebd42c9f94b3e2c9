import { randomUUID } from "node:crypto";
import { OrderService } from "@3l1/gen/order/v1/order_service_pb.ts";
import { validate } from "@3l1/kit/interceptors/validate.ts";
import { Code, ConnectError, createContextKey, type Interceptor } from "@connectrpc/connect";

/** Longest time a call with interceptors may take: they come with a deadline in any real system. */
export const timeoutMs = 5_000;

const token = `Bearer ${"x".repeat(300)}`;
const userKey = createContextKey("");

/** What a client usually does around a call: name it, show a token, and time it. */
export function clientInterceptors(): Interceptor[] {
  return [timed(), withMetadata];
}

/** What a server usually does around a call: time it, find out who calls, and validate the message. */
export function serverInterceptors(): Interceptor[] {
  return [timed(), authenticated, validate([OrderService])];
}

function timed(): Interceptor {
  const seconds = new Map<string, number>();
  return (next) => async (request) => {
    const startedAt = performance.now();
    try {
      return await next(request);
    } finally {
      const { name } = request.method;
      seconds.set(name, (seconds.get(name) ?? 0) + (performance.now() - startedAt) / 1000);
    }
  };
}

const withMetadata: Interceptor = (next) => (request) => {
  request.header.set("authorization", token);
  request.header.set("x-request-id", randomUUID());
  return next(request);
};

const authenticated: Interceptor = (next) => async (request) => {
  if (request.header.get("authorization") !== token)
    throw new ConnectError("log in first", Code.Unauthenticated);
  request.contextValues.set(userKey, "somebody");
  return next(request);
};
