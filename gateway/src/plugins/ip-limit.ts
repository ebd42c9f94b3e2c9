import fastifyPlugin from "fastify-plugin";

/** Before anything that costs: an address may only ask so often, and try to log in far less often. */
export const ipLimit = fastifyPlugin(
  async (app) => {
    app.addHook("onRequest", async (request, reply) => {
      await app.limit("ip", request, reply);
      if (request.routeOptions.config.policy?.login) await app.limit("login", request, reply);
    });
  },
  { name: "ip-limit", dependencies: ["rate-limit", "cors"] },
);
