import fastifyCompress from "@fastify/compress";
import type { FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { compressFromBytes } from "../limits.ts";

/** Tells @fastify/compress to leave the answer to a request as it is. */
export function leaveUncompressed(request: FastifyRequest): void {
  request.headers["x-no-compression"] = "1";
}

/**
 * gzip and brotli for larger answers; never for one that carries a token, whose length could give
 * it away to somebody who controls a part of the answer (BREACH).
 */
export const compress = fastifyPlugin(
  async (app) => {
    app.addHook("onSend", (request, reply, _payload, done) => {
      const hasToken =
        reply.hasHeader("x-access-token") || request.routeOptions.config.policy?.sessionKey;
      if (hasToken) leaveUncompressed(request);
      done();
    });
    await app.register(fastifyCompress, {
      encodings: ["br", "gzip"],
      threshold: compressFromBytes,
      customTypes: /^(?:text\/(?!event-stream)|application\/(?:(?:problem\+)?json|proto))/,
      globalDecompression: false,
    });
  },
  { name: "compress" },
);
