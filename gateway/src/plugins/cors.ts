import { cors as connectCors } from "@connectrpc/connect";
import fastifyCors from "@fastify/cors";
import fastifyPlugin from "fastify-plugin";
import { preflightMaxAgeSeconds } from "../limits.ts";

export interface CorsOptions {
  /** Origins that may call with credentials. Empty: none but our own. */
  readonly origins: readonly string[];
}

/** Before the limiters, so that a page of another origin can read a 429 too. */
export const cors = fastifyPlugin<CorsOptions>(
  async (app, { origins }) => {
    if (origins.length === 0) return;
    await app.register(fastifyCors, {
      origin: [...origins],
      credentials: true,
      methods: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
      allowedHeaders: [
        "Authorization",
        "Idempotency-Key",
        "Last-Event-ID",
        "Traceparent",
        "Tracestate",
        "X-Request-ID",
        ...connectCors.allowedHeaders,
      ],
      exposedHeaders: [
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "Traceparent",
        "WWW-Authenticate",
        "X-Access-Token",
        "X-Access-Token-Expires-In",
        "X-Request-ID",
        ...connectCors.exposedHeaders,
      ],
      maxAge: preflightMaxAgeSeconds,
      strictPreflight: false,
    });
  },
  { name: "cors", dependencies: ["request-id"] },
);
