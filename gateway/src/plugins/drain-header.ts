import fastifyPlugin from "fastify-plugin";

export interface DrainHeaderOptions {
  /** Aborted once the process is told to end. */
  readonly signal: AbortSignal;
}

/** Asks clients to take their next request elsewhere while the process goes down. */
export const drainHeader = fastifyPlugin<DrainHeaderOptions>(
  async (app, { signal }) => {
    app.addHook("onSend", async (_request, reply) => {
      if (signal.aborted) reply.header("connection", "close");
    });
  },
  { name: "drain-header" },
);
