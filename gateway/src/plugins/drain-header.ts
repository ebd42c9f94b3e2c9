import fastifyPlugin from "fastify-plugin";

export interface DrainHeaderOptions {
  /** Aborted once the process is told to end. */
  readonly signal: AbortSignal;
}

declare module "fastify" {
  interface FastifyInstance {
    /** Whether clients are to stay on their connections although the process is about to end. */
    holdsConnections: boolean;
  }
}

/** Asks clients to take their next request elsewhere while the process goes down. */
export const drainHeader = fastifyPlugin<DrainHeaderOptions>(
  async (app, { signal }) => {
    app.decorate("holdsConnections", false);
    app.addHook("onSend", (_request, reply, _payload, done) => {
      if (signal.aborted && !app.holdsConnections) reply.header("connection", "close");
      done();
    });
  },
  { name: "drain-header" },
);
