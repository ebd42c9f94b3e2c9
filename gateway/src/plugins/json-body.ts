import type { FastifyRequest } from "fastify";
import fastifyPlugin from "fastify-plugin";
import { badInput } from "../bad-input.ts";
import type { BodyPlaces } from "../body-places.ts";
import { freeMemory } from "../free-memory.ts";
import { JsonError, parseJson } from "../json-text.ts";
import { maxBodyBytes } from "../limits.ts";
import { readBody } from "../read-body.ts";
import { badRequest, notJson } from "../refusal.ts";

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
      return bytes.length === 0 ? undefined : parseBody(bytes);
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

function parseBody(bytes: Buffer): unknown {
  try {
    return parseJson(decode(bytes));
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    const { path, rule, message, position } = error.fault;
    throw badInput([{ path, rule, message: `${message} (at position ${position})` }]);
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw badRequest("the body is not UTF-8");
  } finally {
    freeMemory(bytes);
  }
}
