import {
  create,
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescOneof,
  getOption,
  hasOption,
  ScalarType,
} from "@bufbuild/protobuf";
import { FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";
import { createValidator } from "@bufbuild/protovalidate";
import {
  type FieldRules,
  oneof as oneofRules,
} from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { commentOf } from "./comment.ts";
import { exampleOf } from "./example.ts";
import { allowsNumber, boundsOf, rulesOf } from "./field-rules.ts";
import type { Direction, JsonSchema } from "./json-schema.ts";
import { scalarSchema } from "./scalar-schema.ts";
import { wellKnown } from "./well-known.ts";

/**
 * The messages and enums of the schema as components of the document: what protobuf's JSON mapping
 * makes of them, with comments, rules and examples. A message that goes both ways has two
 * components, since only answers hold every field.
 */
export class MessageSchemas {
  readonly #components = new Map<string, JsonSchema>();
  readonly #validator = createValidator();
  readonly #inputs: ReadonlySet<DescMessage>;

  /** @param methods what the document is about */
  constructor(methods: readonly DescMethod[]) {
    this.#inputs = new Set(methods.map(({ input }) => input));
  }

  /** All components that were asked for, by name. */
  get components(): Readonly<Record<string, JsonSchema>> {
    return Object.fromEntries([...this.#components].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  /** A reference to a message's component. */
  message(desc: DescMessage, direction: Direction): JsonSchema {
    const known = wellKnown[desc.typeName];
    if (known !== undefined) return known;
    const isPart = direction === "request" && !this.#inputs.has(desc);
    const name = isPart ? `${desc.typeName}.Input` : desc.typeName;
    return this.#refer(name, () => this.#object(desc, direction));
  }

  /** The schema of a field's value, with what the schema says about it. */
  field(field: DescField, direction: Direction): JsonSchema {
    const description = commentOf(field);
    const example = field.message ? undefined : exampleOf(field);
    return {
      ...this.#value(field, direction),
      ...boundsOf(rulesOf(field)),
      ...(description !== "" && { description }),
      ...(example !== undefined && { examples: [example] }),
    };
  }

  /**
   * The fields that a request cannot leave out: those whose absence breaks a rule, as protovalidate
   * itself sees it.
   */
  required(desc: DescMessage): DescField[] {
    const result = this.#validator.validate(desc, create(desc));
    if (result.kind === "error") throw result.error;
    const missing = new Set(result.violations?.map(({ field }) => field[0]));
    return desc.fields.filter((field) => missing.has(field) && field.oneof === undefined);
  }

  #object(desc: DescMessage, direction: Direction): JsonSchema {
    const isRequest = direction === "request";
    const required = isRequest ? this.required(desc) : desc.fields.filter(isAlwaysWritten);
    const fields = desc.fields.map((field) => [field.jsonName, this.field(field, direction)]);
    return {
      type: "object",
      description: commentOf(desc),
      properties: Object.fromEntries(fields),
      ...(required.length > 0 && { required: required.map(({ jsonName }) => jsonName) }),
      ...(desc.oneofs.length > 0 && { allOf: desc.oneofs.map(oneOfThese) }),
      ...(isRequest && { additionalProperties: false }),
    };
  }

  #value(field: DescField, direction: Direction): JsonSchema {
    const { type } = rulesOf(field) ?? {};
    switch (field.fieldKind) {
      case "list": {
        const rules = type?.case === "repeated" ? type.value.items : undefined;
        return { type: "array", items: this.#element(field, direction, rules) };
      }
      case "map": {
        const rules = type?.case === "map" ? type.value.values : undefined;
        return { type: "object", additionalProperties: this.#element(field, direction, rules) };
      }
      default:
        return this.#element(field, direction, rulesOf(field));
    }
  }

  /** One value of a field, of which a list or a map has many. */
  #element(
    { message, enum: enumeration, scalar, fieldKind }: DescField,
    direction: Direction,
    rules: FieldRules | undefined,
  ): JsonSchema {
    const bounds = fieldKind === "list" || fieldKind === "map" ? boundsOf(rules) : {};
    if (message) return this.message(message, direction);
    if (enumeration) return this.#enum(enumeration, rules);
    return { ...scalarSchema(scalar ?? ScalarType.STRING, direction, rules), ...bounds };
  }

  #enum(desc: DescEnum, rules: FieldRules | undefined): JsonSchema {
    const values = desc.values.filter(({ number }) => allowsNumber(rules, number));
    const schema = { type: "string", enum: values.map(({ name }) => name) } as const;
    if (values.length < desc.values.length) return schema;
    const list = desc.values.map((value) => `- \`${value.name}\`: ${commentOf(value)}`).join("\n");
    const description = `${commentOf(desc)}\n\n${list}`;
    return this.#refer(desc.typeName, () => ({ ...schema, description }));
  }

  #refer(name: string, make: () => JsonSchema): JsonSchema {
    if (!this.#components.has(name)) {
      // A message may hold itself.
      this.#components.set(name, {});
      this.#components.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }
}

/** An answer holds every field that cannot be unset, default or not. */
function isAlwaysWritten({ presence, fieldKind }: DescField): boolean {
  if (fieldKind === "list" || fieldKind === "map") return true;
  return fieldKind !== "message" && presence === FeatureSet_FieldPresence.IMPLICIT;
}

/** At most one of a oneof's fields, or exactly one. */
function oneOfThese(oneof: DescOneof): JsonSchema {
  const each = oneof.fields.map(({ jsonName }) => ({ required: [jsonName] }));
  const isRequired = hasOption(oneof, oneofRules) && getOption(oneof, oneofRules).required;
  return { oneOf: isRequired ? each : [...each, { not: { anyOf: each } }] };
}
