import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import fastifyPlugin from "fastify-plugin";
import { createAsset } from "./asset.ts";

/** Where the document is. */
export const openApiPath = "/api/openapi.json";

/** The OpenAPI document that `npm run generate` has written from the schema. */
export const openApi = fastifyPlugin(
  async (app) => {
    const file = fileURLToPath(import.meta.resolve("@3l1/gen/openapi.json"));
    const document = createAsset(await readFile(file), "application/json; charset=utf-8");
    app.get(openApiPath, (request, reply) => {
      reply.header("cross-origin-resource-policy", "cross-origin");
      return document.send(request, reply);
    });
  },
  { name: "openapi", dependencies: ["security-headers"] },
);
