import type { FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import type { BodyPlaces } from "../body-places.ts";
import { freeMemory } from "../free-memory.ts";
import { decodeUtf8, readJson } from "../json-bytes.ts";
import { maxBodyBytes } from "../limits.ts";
import { readBody } from "../read-body.ts";
import { notJson } from "../refusal.ts";

export interface JsonBodyOptions {
  readonly places: BodyPlaces;
}

/** Bodies are JSON in UTF-8 and nothing else; an empty one stands for no body at all. */
export const jsonBody = fastifyPlugin<JsonBodyOptions>(
  async (app, { places }) => {
    app.removeAllContentTypeParsers();
    app.addContentTypeParser("application/json", async (request: FastifyRequest) => {
      refuseOtherEncodings(request.headers);
      const bytes = await readBody(request.raw, { maxBytes: maxBodyBytes, places });
      return bytes.length === 0 ? undefined : readJson(textOf(bytes));
    });
  },
  { name: "json-body" },
);

function refuseOtherEncodings(headers: FastifyRequest["headers"]): void {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(headers["content-type"] ?? "")?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw notJson();
  const encoding = headers["content-encoding"] ?? "identity";
  if (encoding.toLowerCase() !== "identity") throw notJson("the body must not be compressed");
}

function textOf(bytes: Buffer): string {
  try {
    return decodeUtf8(bytes);
  } finally {
    freeMemory(bytes);
  }
}
