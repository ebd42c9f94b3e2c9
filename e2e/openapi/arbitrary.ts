import fc, { type Arbitrary } from "fast-check";
import { type Document, resolve, type Schema } from "./document.ts";

/** Long lists and texts find nothing that short ones do not, unless they are at the bound itself. */
const usualLength = 20;

/**
 * Values that a schema allows, its examples among them: only they keep rules that no schema can tell.
 *
 * @param ids of things that exist: a walk that only makes up ids meets nothing but 404
 */
export function valuesOf(
  document: Document,
  schema: Schema,
  ids: readonly string[],
): Arbitrary<unknown> {
  const { examples = [], ...rules } = resolve(document, schema);
  const values = madeUp(document, rules, ids);
  return examples.length > 0 ? fc.oneof(values, fc.constantFrom(...examples)) : values;
}

function madeUp(document: Document, schema: Schema, ids: readonly string[]): Arbitrary<unknown> {
  const values = (inner: Schema) => valuesOf(document, inner, ids);
  const { type, enum: members, ...rules } = schema;
  if (members) return fc.constantFrom(...members);
  if (typeof type === "object")
    return fc.oneof(...type.map((each) => values({ ...rules, type: each })));
  switch (type) {
    case "string":
      return texts(rules, ids);
    case "integer":
      return fc.integer({ min: rules.minimum ?? 0, max: rules.maximum ?? 2 ** 31 - 1 });
    case "boolean":
      return fc.boolean();
    case "array": {
      const { items = {}, minItems = 0, maxItems = usualLength } = rules;
      return fc.array(values(items), { minLength: minItems, maxLength: maxItems });
    }
    case "object": {
      const { properties = {}, required = [] } = rules;
      const fields = Object.entries(properties).map(([name, each]) => [name, values(each)]);
      return fc.record<Record<string, unknown>, string>(Object.fromEntries(fields), {
        requiredKeys: [...required],
      });
    }
    default:
      throw new Error(`the walk knows no values for ${JSON.stringify(schema)}`);
  }
}

function texts(schema: Schema, ids: readonly string[]): Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = usualLength } = schema;
  if (format === "uuid") return fc.oneof(fc.uuid(), fc.constantFrom(...ids));
  if (format === "email") return fc.emailAddress({ size: "small" });
  if (format === "int64") return fc.bigInt({ min: 0n, max: 2n ** 53n }).map(String);
  const fits = (text: string) => [...text].length >= minLength && [...text].length <= maxLength;
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern, "u")).filter(fits);
  const usual = fc.string({
    unit: "binary",
    minLength,
    maxLength: Math.min(maxLength, usualLength),
  });
  const longest = fc.string({ unit: "grapheme-ascii", minLength: maxLength, maxLength });
  return fc.oneof({ arbitrary: usual, weight: 5 }, { arbitrary: longest, weight: 1 });
}

/** Values that a schema does not allow, as few as it has rules to break; none if it allows everything. */
export function breachesOf(document: Document, schema: Schema): Arbitrary<unknown>[] {
  const { type, enum: members, ...rules } = resolve(document, schema);
  const wrongTypes = fc.constantFrom<unknown>({ a: 1 }, [[]], type === "boolean" ? "maybe" : true);
  const breaches: Arbitrary<unknown>[] = [wrongTypes];
  const { minimum, maximum, minLength, maxLength, minItems, maxItems, format } = rules;
  if (members || format) breaches.push(fc.constantFrom("no such value", "-"));
  if (minimum !== undefined) breaches.push(fc.constantFrom(minimum - 1, -(2 ** 40)));
  if (maximum !== undefined) breaches.push(fc.constantFrom(maximum + 1, 2 ** 40));
  if (minLength !== undefined && minLength > 0) breaches.push(fc.constant(""));
  if (maxLength !== undefined) breaches.push(fc.constantFrom("x".repeat(maxLength + 1)));
  if (minItems !== undefined && minItems > 0) breaches.push(fc.constant([]));
  if (maxItems !== undefined && rules.items) {
    const item = valuesOf(document, rules.items, ["01980000-0000-7000-8000-000000000001"]);
    breaches.push(item.map((each) => Array(maxItems + 1).fill(each)));
  }
  return breaches;
}
