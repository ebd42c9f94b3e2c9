import type { IncomingHttpHeaders } from "node:http";
import fastifyPlugin from "fastify-plugin";
import { maxBodyPieces } from "../limits.ts";

/**
 * Cuts off who sends a body in crumbs. Node makes an object of some 400 bytes of each chunk or packet, be it a single
 * byte, and takes 64 KiB of bytes before it stops to read, whether anybody wants the body or not.
 */
export const chunkLimit = fastifyPlugin(
  async (app) => {
    app.server.prependListener("request", (request) => {
      if (!hasBody(request.headers)) return;
      let pieces = 0;
      const push = request.push.bind(request);
      // Node's parser hands each piece to the request by this method, and by nothing else.
      request.push = (chunk: unknown, encoding?: BufferEncoding) => {
        if (chunk === null || ++pieces <= maxBodyPieces) return push(chunk, encoding);
        request.destroy();
        return false;
      };
    });
  },
  { name: "chunk-limit" },
);

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"]) > 0;
}
