import type { FastifyRequest } from "fastify";

/** The template of the route that a request met, `unmatched` without: what clients make up must not become a label. */
export function routeOf({ routeOptions }: Pick<FastifyRequest, "routeOptions">): string {
  return routeOptions.url ?? "unmatched";
}

/** The path that was asked for, without the query, which may hold what nobody else should read. */
export function pathOf(url: string): string {
  const cut = url.indexOf("?");
  return cut < 0 ? url : url.slice(0, cut);
}

/** What stands behind the question mark. */
export function queryOf(url: string): string {
  const cut = url.indexOf("?");
  return cut < 0 ? "" : url.slice(cut + 1);
}

/** Whether a request is answered with a stream of messages, which may last for hours. */
export function isStream({ routeOptions }: Pick<FastifyRequest, "routeOptions">): boolean {
  return routeOptions.config.rpc?.methodKind === "server_streaming";
}
