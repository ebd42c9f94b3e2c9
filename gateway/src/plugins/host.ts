import fastifyPlugin from "fastify-plugin";
import { badRequest } from "../refusal.ts";

/** HTTP/1.1 wants a host in every request (RFC 9112, section 3.2). */
export const host = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", ({ raw }, _reply, done) => {
      if (raw.httpVersion === "1.1" && !raw.headers.host)
        throw badRequest("the host header is missing");
      done();
    });
  },
  { name: "host", dependencies: ["problem-details"] },
);
