import fastifyPlugin from "fastify-plugin";
import { badRequest } from "../refusal.ts";

/** HTTP/1.1 wants a host in every request (RFC 9112, section 3.2). */
export const host = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", async ({ raw }) => {
      if (raw.httpVersion === "1.1" && !raw.headers.host)
        throw badRequest("the host header is missing");
    });
  },
  { name: "host", dependencies: ["problem-details"] },
);
