import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { failUnanswered, normalizeStreams } from "./client-streams.ts";
import { normalizeGrpcError } from "./error.ts";
import { clientSessionOptions } from "./session.ts";
import type { GrpcTransport, GrpcTransportOptions } from "./transport.ts";

/** Its calls end when their connection does. */
class SessionManager extends Http2SessionManager {
  override async request(...call: Parameters<Http2SessionManager["request"]>) {
    return failUnanswered(await super.request(...call));
  }
}

/**
 * The transport of @connectrpc/connect-node: one session per base URL, used in
 * turn. It knows neither addresses behind a name nor failing ones.
 */
export function createStockGrpcTransport(
  options: GrpcTransportOptions & { readMaxBytes: number },
): GrpcTransport {
  const { baseUrls, ...rest } = options;
  const managers: SessionManager[] = [];
  const transports = baseUrls.map((baseUrl): Transport => {
    const pings = { pingIntervalMs: 5_000 };
    const sessionManager = new SessionManager(baseUrl, pings, clientSessionOptions);
    managers.push(sessionManager);
    return createGrpcTransport({ ...rest, baseUrl, sessionManager });
  });
  let turn = 0;
  const next = () => {
    turn = (turn + 1) % transports.length;
    return transports[turn] as Transport;
  };
  const close = async () => {
    for (const manager of managers) manager.abort();
  };
  return {
    unary: async (method, signal, ...rest) => {
      try {
        return await next().unary(method, signal, ...rest);
      } catch (error) {
        throw normalizeGrpcError(error, signal);
      }
    },
    stream: normalizeStreams((...call) => next().stream(...call)),
    addresses: () => [],
    close,
    [Symbol.asyncDispose]: close,
  };
}
