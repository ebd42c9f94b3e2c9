import fastifyPlugin from "fastify-plugin";

/**
 * For an API: nothing it sends is a page, nothing is to be framed, guessed at, or kept by a cache.
 * A route that serves something else sets its own values, which win.
 */
const defaults = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

export const securityHeaders = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", (_request, reply, done) => {
      reply.headers(defaults);
      done();
    });
  },
  { name: "security-headers" },
);
