import type { FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { crossSite } from "../refusal.ts";

export interface CsrfOptions {
  /** Origins that may act for a user beside our own. */
  readonly origins: readonly string[];
}

declare module "fastify" {
  interface FastifyInstance {
    /**
     * Refuses a request that a page of another site made a browser send.
     *
     * @throws ConnectError with REASON_CROSS_SITE
     */
    refuseCrossSite(request: FastifyRequest): void;
  }
}

/**
 * The protection against cross-site request forgery, for requests that a cookie authenticates, and
 * for those that log in. Browsers tell where a request comes from and pages cannot change it; what
 * tells nothing is no browser and sends no cookie that it was not told to.
 */
export const csrf = fastifyPlugin<CsrfOptions>(
  async (app, { origins }) => {
    const allowed = new Set(origins);
    app.decorate("refuseCrossSite", (request) => {
      if (isCrossSite(request, allowed)) throw crossSite();
    });
  },
  { name: "csrf" },
);

/** Whether a browser says that another site's page sent the request. */
export function isCrossSite(
  { headers, host }: Pick<FastifyRequest, "headers" | "host">,
  allowed: ReadonlySet<string>,
): boolean {
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  if (origin !== undefined && allowed.has(origin)) return false;
  if (site !== undefined) return site !== "same-origin";
  return origin !== undefined && URL.parse(origin)?.host !== host.toLowerCase();
}
