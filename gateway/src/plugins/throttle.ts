import fastifyPlugin from "fastify-plugin";
import { throttleRetryMaxMs, throttleRetryMinMs } from "../limits.ts";
import { overloaded } from "../refusal.ts";

export interface ThrottleOptions {
  /** Requests under way at once; one more is turned away with 503. */
  readonly maxConcurrentRequests: number;
}

/** Keeps the process from taking more requests than it can carry. */
export const throttle = fastifyPlugin<ThrottleOptions>(
  async (app, { maxConcurrentRequests }) => {
    let underWay = 0;
    app.addHook("onRequest", async (_request, reply) => {
      if (underWay >= maxConcurrentRequests) throw overloaded(retryAfterMs());
      underWay++;
      reply.raw.once("close", () => underWay--);
    });
  },
  { name: "throttle" },
);

function retryAfterMs(): number {
  return throttleRetryMinMs + Math.random() * (throttleRetryMaxMs - throttleRetryMinMs);
}
