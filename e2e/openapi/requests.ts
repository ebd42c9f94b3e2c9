import fc, { type Arbitrary } from "fast-check";
import { breachesOf, valuesOf } from "./arbitrary.ts";
import { type Document, type Endpoint, resolve, type Schema } from "./document.ts";

/** Who sends a request. */
export type Actor = "nobody" | "user" | "admin";

/** A request, ready to be sent. */
export interface WalkRequest {
  readonly actor: Actor;
  readonly verb: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** A request by its parts, which the document describes one by one. */
interface Parts {
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

const actors = fc.constantFrom<Actor>("nobody", "user", "user", "admin");

/** Requests that the document allows. */
export function validRequests(
  document: Document,
  endpoint: Endpoint,
  ids: readonly string[],
): Arbitrary<WalkRequest> {
  return fc
    .tuple(actors, partsOf(document, endpoint, ids))
    .map(([actor, parts]) => assemble(endpoint, actor, parts));
}

/** Requests that break one rule of the document. */
export function invalidRequests(
  document: Document,
  endpoint: Endpoint,
  ids: readonly string[],
): Arbitrary<WalkRequest> {
  const parts = partsOf(document, endpoint, ids);
  const { query, body } = schemasOf(document, endpoint);
  const broken = [
    ...breachesIn(document, query, parts, "query"),
    ...(body ? breachesIn(document, body, parts, "body") : []),
    ...(body ? [parts.map((valid) => ({ ...valid, body: "{" }))] : []),
  ];
  return fc
    .tuple(actors, fc.oneof(...broken))
    .map(([actor, each]) => assemble(endpoint, actor, each));
}

/** The query and the body as schemas of objects. */
function schemasOf(document: Document, { operation }: Endpoint) {
  const { parameters = [], requestBody } = operation;
  const objectOf = (place: string): Schema => {
    const here = parameters.filter((parameter) => parameter.in === place);
    const properties = Object.fromEntries(here.map(({ name, schema }) => [name, schema]));
    const required = here.filter((each) => each.required).map(({ name }) => name);
    return { type: "object", properties, required };
  };
  const schema = requestBody?.content["application/json"]?.schema;
  const body = schema && resolve(document, schema);
  return { query: objectOf("query"), headers: objectOf("header"), body };
}

function partsOf(document: Document, endpoint: Endpoint, ids: readonly string[]): Arbitrary<Parts> {
  const { query, headers, body } = schemasOf(document, endpoint);
  const values = (schema: Schema) =>
    valuesOf(document, schema, ids) as Arbitrary<Record<string, unknown>>;
  return fc.record({
    query: values(query),
    headers: values(headers),
    body: body ? values(body) : fc.constant(undefined),
  });
}

/** One field too many, one too few, or one that is wrong. */
function breachesIn(
  document: Document,
  { properties = {}, required = [] }: Schema,
  parts: Arbitrary<Parts>,
  place: "query" | "body",
): Arbitrary<Parts>[] {
  const change = (name: string, value: Arbitrary<unknown>) =>
    fc.tuple(parts, value).map(([valid, wrong]): Parts => {
      const { [name]: _, ...others } = valid[place] as Record<string, unknown>;
      return { ...valid, [place]: wrong === undefined ? others : { ...others, [name]: wrong } };
    });
  const wrong = Object.entries(properties).flatMap(([name, schema]) =>
    breachesOf(document, schema)
      .filter((_, index) => place === "body" || index > 0)
      .map((breach) => change(name, breach)),
  );
  const missing = required.map((name) => change(name, fc.constant(undefined)));
  return [...wrong, ...missing, change("noSuchField", fc.constant("x"))];
}

function assemble({ verb, path }: Endpoint, actor: Actor, parts: Parts): WalkRequest {
  const query = new URLSearchParams(
    Object.entries(parts.query).map(([name, value]): [string, string] => [name, String(value)]),
  ).toString();
  return {
    actor,
    verb: verb.toUpperCase(),
    path: query === "" ? path : `${path}?${query}`,
    headers: parts.headers as Record<string, string>,
    body: parts.body,
  };
}
