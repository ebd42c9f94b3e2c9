import fastifyPlugin from "fastify-plugin";

/** Once the user is known: so often, from however many addresses. */
export const userLimit = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", async (request, reply) => {
      if (request.identity?.caller) await app.limit("user", request, reply);
    });
  },
  { name: "user-limit", dependencies: ["rate-limit", "authenticate"] },
);
