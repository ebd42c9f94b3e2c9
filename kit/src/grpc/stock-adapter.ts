import http2, { type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import {
  type ConnectRouter,
  type ConnectRouterOptions,
  createConnectRouter,
} from "@connectrpc/connect";
import {
  compressionBrotli,
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";

/** Settings of {@link createStockAdapter}. */
export interface StockAdapterOptions
  extends Pick<ConnectRouterOptions, "interceptors" | "readMaxBytes"> {
  /** Registers the services. */
  routes: (router: ConnectRouter) => void;
}

/**
 * Serves requests by connect-es's own handlers. connect-node has an adapter for it, which writes to the console
 * whenever a peer leaves in the middle of a stream.
 */
export function createStockAdapter({ routes, ...options }: StockAdapterOptions) {
  const acceptCompression = [compressionGzip, compressionBrotli];
  const router = createConnectRouter({ acceptCompression, ...options });
  routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  return (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const [path = ""] = request.url.split("?", 1);
    const handler = handlers.get(path);
    if (handler === undefined) return void response.writeHead(404).end();
    handler(universalRequestFromNodeRequest(request, response, undefined, undefined))
      .then((answer) => universalResponseToNodeResponse(answer, response))
      // Handlers make an answer of whatever they fail with, so it could not be sent.
      .catch(() => response.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
  };
}
