import {
  createFileRegistry,
  type DescMethod,
  type DescService,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { httpRoutesOf } from "../src/http-rule.ts";
import { commentOf } from "./comment.ts";
import { MessageSchemas } from "./message-schemas.ts";
import type { OpenApiDocument, Operation } from "./open-api.ts";
import { operationOf } from "./operation.ts";
import { problemSchema } from "./problem-schema.ts";
import { answerHeaders, problemResponse } from "./responses.ts";

const description = `REST as the schema in \`proto/\` describes it. Every error is \`application/problem+json\`.

A stream is \`text/event-stream\` (server-sent events), which an \`EventSource\` reads. An error before its first
event is answered as any other; later it is the last event, \`error\`, with the problem as its data.

The same methods are served over Connect and gRPC-Web at \`/<package>.<Service>/<Method>\`.`;

const securitySchemes = {
  token: {
    type: "http",
    scheme: "bearer",
    bearerFormat: "JWT",
    description:
      "The access token from registering or logging in. Once it has expired, the session cookie beside it brings a new one on the same answer.",
  },
  session: {
    type: "apiKey",
    in: "cookie",
    name: "__Host-session_key",
    description:
      "The session cookie, enough for itself. In development over http its name is `session_key`.",
  },
};

/**
 * The OpenAPI document of all methods that REST serves.
 *
 * @param image the schema as `buf build` writes it, comments included
 * @param version of the API
 */
export function openApiDocument(image: Uint8Array, version: string): OpenApiDocument {
  const services = servicesOf(image).filter((service) => methodsOf(service).length > 0);
  const schemas = new MessageSchemas(services.flatMap(methodsOf));
  const paths = pathsOf(services, schemas);
  return {
    openapi: "3.1.1",
    info: { title: "3L1", version, description, license: { name: "MIT", identifier: "MIT" } },
    servers: [{ url: "/" }],
    tags: services.map((service) => ({ name: service.name, description: commentOf(service) })),
    paths,
    components: {
      schemas: { Problem: problemSchema, ...schemas.components },
      headers: answerHeaders,
      responses: { Problem: problemResponse },
      securitySchemes,
    },
  };
}

function servicesOf(image: Uint8Array): DescService[] {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, image));
  const services = [...registry].filter((desc) => desc.kind === "service");
  return services.sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
}

function methodsOf(service: DescService): DescMethod[] {
  return service.methods.filter((method) => httpRoutesOf(method).length > 0);
}

function pathsOf(
  services: readonly DescService[],
  schemas: MessageSchemas,
): OpenApiDocument["paths"] {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const method of services.flatMap(methodsOf))
    httpRoutesOf(method).forEach((route, index) => {
      const path = route.path.replaceAll(/:(\w+)/g, "{$1}");
      paths[path] ??= {};
      paths[path][route.verb.toLowerCase()] = operationOf(method, route, index, schemas);
    });
  return paths;
}
