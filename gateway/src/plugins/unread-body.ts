import type { IncomingMessage } from "node:http";
import fastifyPlugin from "fastify-plugin";
import { maxSmallBodyBytes } from "../limits.ts";
import { lingeringClose } from "../lingering-close.ts";

/**
 * Ends the connection behind an answer that comes before its request is complete: nobody wants the rest of the body,
 * and nobody says how long it is. A little that is missing is read by Node, and the connection stays.
 */
export const unreadBody = fastifyPlugin(
  async (app) => {
    app.addHook("onSend", (request, reply, _payload, done) => {
      if (isMuchMissing(request.raw)) reply.header("connection", "close");
      done();
    });
    app.server.prependListener("request", (request, response) => {
      if (!isMuchMissing(request)) return;
      response.prependOnceListener("finish", () => {
        if (!request.complete) lingeringClose(request.socket);
      });
    });
  },
  { name: "unread-body" },
);

function isMuchMissing({ complete, headers }: IncomingMessage): boolean {
  if (complete) return false;
  const isChunked = headers["transfer-encoding"] !== undefined;
  return isChunked || Number(headers["content-length"]) > maxSmallBodyBytes;
}
