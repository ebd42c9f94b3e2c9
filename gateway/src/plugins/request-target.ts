import fastifyPlugin from "fastify-plugin";
import { badRequest, pathTooLong } from "../refusal.ts";
import { pathOf } from "../route-name.ts";

/** Ours have less than 60 characters and a few parameters, of which Fastify takes 100 each. */
const maxPathLength = 2_048;

/** What is asked for has to be a path: a `*` (RFC 9112, section 3.2.4) would find the console. */
export const requestTarget = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", ({ raw: { url = "/" } }, _reply, done) => {
      if (url === "*") throw badRequest("the request target must be a path");
      if (pathOf(url).length > maxPathLength) throw pathTooLong();
      done();
    });
  },
  { name: "request-target", dependencies: ["problem-details"] },
);
