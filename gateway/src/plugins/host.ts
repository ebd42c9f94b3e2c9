import fastifyPlugin from "fastify-plugin";
import { badRequest } from "../refusal.ts";

/** HTTP/1.1 wants a host in every request, and only one (RFC 9112, section 3.2). */
export const host = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", ({ raw }, _reply, done) => {
      if (raw.httpVersion === "1.1" && !raw.headers.host)
        throw badRequest("the host header is missing");
      // Node.js takes the first of several, and who stands in front of us maybe the last.
      if (raw.headersDistinct.host?.[1] !== undefined)
        throw badRequest("the host header is there twice");
      done();
    });
  },
  { name: "host", dependencies: ["problem-details"] },
);
