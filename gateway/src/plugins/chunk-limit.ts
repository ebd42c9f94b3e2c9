import fastifyPlugin from "fastify-plugin";
import { maxBodyChunks } from "../limits.ts";

/**
 * Cuts off who sends a body in crumbs. Node makes an object of some 400 bytes of each chunk, be it a single byte, and
 * takes 64 KiB of bytes before it stops to read, whether anybody wants the body or not.
 */
export const chunkLimit = fastifyPlugin(
  async (app) => {
    app.server.prependListener("request", (request) => {
      if (request.headers["transfer-encoding"] === undefined) return;
      let chunks = 0;
      const push = request.push.bind(request);
      // Node's parser hands each chunk to the request by this method, and by nothing else.
      request.push = (chunk: unknown, encoding?: BufferEncoding) => {
        if (chunk === null || ++chunks <= maxBodyChunks) return push(chunk, encoding);
        request.destroy();
        return false;
      };
    });
  },
  { name: "chunk-limit" },
);
