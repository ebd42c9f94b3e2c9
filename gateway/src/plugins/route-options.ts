import fastifyPlugin from "fastify-plugin";

/**
 * Fastify builds `request.routeOptions` anew each time somebody looks at it, and on its way a request is
 * looked at some fifteen times, by our steps and by the plugins of others. From here on it is the same
 * object for all of them.
 */
export const routeOptions = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", (request, _reply, done) => {
      Object.defineProperty(request, "routeOptions", { value: request.routeOptions });
      done();
    });
  },
  { name: "route-options" },
);
