import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fastifyPlugin from "fastify-plugin";
import { createAsset } from "./asset.ts";
import { openApiPath } from "./openapi.ts";

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>3L1 API</title>
    <link rel="icon" href="/api/docs/icon.png">
    <link rel="stylesheet" href="/api/docs/swagger-ui.css">
    <link rel="stylesheet" href="/api/docs/page.css">
    <script src="/api/docs/swagger-ui.js" defer></script>
    <script src="/api/docs/page.js" defer></script>
  </head>
  <body>
    <main id="docs"></main>
    <noscript>The document itself is at <a href="${openApiPath}">${openApiPath}</a>.</noscript>
  </body>
</html>
`;

const style = "body { margin: 0; }\nhtml.dark-mode { background: #1c2022; }\n";

/** Swagger UI sends documents from public addresses to a validator of its own, unless it is told not to. */
const script = `const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", follow);
follow();
SwaggerUIBundle({
  url: "${openApiPath}",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  validatorUrl: null,
});
`;

/** Everything from here, nothing inline; pictures in style sheets are data. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self'",
].join("; ");

/** A page to read and try the OpenAPI document with: Swagger UI from the installed package. */
export const apiDocs = fastifyPlugin(
  async (app) => {
    const css = "text/css; charset=utf-8";
    const javascript = "text/javascript; charset=utf-8";
    const assets = {
      "": createAsset(Buffer.from(page), "text/html; charset=utf-8"),
      "/page.css": createAsset(Buffer.from(style), css),
      "/page.js": createAsset(Buffer.from(script), javascript),
      "/swagger-ui.css": createAsset(await swaggerUi("swagger-ui.css"), css),
      "/swagger-ui.js": createAsset(await swaggerUi("swagger-ui-bundle.js"), javascript),
      "/icon.png": createAsset(await swaggerUi("favicon-32x32.png"), "image/png"),
    };
    for (const [path, asset] of Object.entries(assets))
      app.get(`/api/docs${path}`, (request, reply) => {
        reply.header("content-security-policy", contentSecurityPolicy);
        return asset.send(request, reply);
      });
    app.get("/api/docs/", (_request, reply) => reply.redirect("/api/docs", 308));
  },
  { name: "api-docs", dependencies: ["openapi"] },
);

function swaggerUi(name: string): Promise<Buffer> {
  return readFile(fileURLToPath(import.meta.resolve(`swagger-ui-dist/${name}`)));
}
