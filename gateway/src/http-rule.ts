import { http } from "@3l1/gen/google/api/annotations_pb.ts";
import type { HttpRule } from "@3l1/gen/google/api/http_pb.ts";
import { type DescMethod, getOption, hasOption } from "@bufbuild/protobuf";

/** Where REST finds a method, from its `google.api.http` option. */
export interface HttpRoute {
  readonly verb: "GET" | "PUT" | "POST" | "DELETE" | "PATCH";
  /** A path with `:name` for each field that stands in it. */
  readonly path: string;
  /** The message is the body. Otherwise its fields are query parameters. */
  readonly inBody: boolean;
}

/**
 * The routes of a method, none if the schema gives it none.
 *
 * @throws when the schema asks for something that this gateway cannot do; it then does not start.
 */
export function httpRoutesOf(method: DescMethod): HttpRoute[] {
  if (!hasOption(method, http)) return [];
  const rule = getOption(method, http);
  return [rule, ...rule.additionalBindings].map((each) => routeOf(method, each));
}

function routeOf(method: DescMethod, { pattern, body }: HttpRule): HttpRoute {
  const name = `${method.parent.typeName}.${method.name}`;
  if (pattern.case === undefined || pattern.case === "custom")
    throw new Error(`${name}: its route needs get, put, post, delete or patch`);
  if (body !== "" && body !== "*")
    throw new Error(`${name}: the body of its route must be "*" or nothing`);
  if (!/^(?:\/(?:[\w.~-]+|\{\w+\}))+$/.test(pattern.value))
    throw new Error(`${name}: its path may hold plain segments and {field} alone`);
  return {
    verb: pattern.case.toUpperCase() as HttpRoute["verb"],
    path: pattern.value.replaceAll(/\{(\w+)\}/g, ":$1"),
    inBody: body === "*",
  };
}
