import { join } from "node:path";
import fastifyPlugin from "fastify-plugin";
import { createConsoleFiles } from "./console-files.ts";
import { notFound } from "./refusal.ts";

export interface ConsoleOptions {
  /** Where the build is. Default: `web/dist`. */
  readonly folder?: string;
}

/** Everything from here, nothing inline. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "form-action 'self'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self'",
].join("; ");

const pageHeaders = {
  "content-security-policy": contentSecurityPolicy,
  "cross-origin-opener-policy": "same-origin",
};

const notBuilt = `3l1. The API is below /api.

The web console has not been built: \`npm start\` does it, and so does \`npm run console\`. Then load this page again.
`;

/**
 * The web console: one page at `/`, which keeps its own routes behind the hash, and its parts below
 * `/assets`. No path of it can ever stand in the way of one of the API.
 *
 * The limit of requests counts them as it counts all else: a visit is four of them, and one from then on,
 * since what is named by its content is not asked for again. An exception would be a way to ask without end.
 */
export const webConsole = fastifyPlugin<ConsoleOptions>(
  async (app, { folder = join(import.meta.dirname, "../../web/dist") }) => {
    const files = createConsoleFiles(folder);

    app.get("/", async (request, reply) => {
      const { page } = await files.current();
      reply.headers(pageHeaders);
      if (page !== undefined) return page.send(request, reply);
      return reply.type("text/plain; charset=utf-8").send(notBuilt);
    });

    app.get<{ Params: { name: string } }>("/assets/:name", async (request, reply) => {
      const asset = (await files.current()).assets.get(request.params.name);
      if (asset === undefined) throw notFound();
      return asset.send(request, reply);
    });
  },
  { name: "console", dependencies: ["security-headers"] },
);
