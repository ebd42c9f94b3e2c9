import type { DescEnum, DescExtension, DescField, DescFile, DescMessage } from "@bufbuild/protobuf";
import { ScalarType } from "@bufbuild/protobuf";
import { Edition, FeatureSet_FieldPresence } from "@bufbuild/protobuf/wkt";

/**
 * Prints the .proto source of a file that a package ships as a descriptor only: messages, enums and
 * extensions with names, numbers and types. Comments and custom options are not in it.
 */
export function printProto(file: DescFile): string {
  const syntax = file.edition === Edition.EDITION_PROTO2 ? "proto2" : "proto3";
  const printer = new Printer(syntax === "proto2");
  return [
    `syntax = "${syntax}";`,
    `package ${file.proto.package};`,
    ...file.proto.dependency.map((path) => `import "${path}";`),
    ...file.enums.map((desc) => printer.enumeration(desc)),
    ...file.extensions.map((desc) => printer.extension(desc)),
    ...file.messages.map((desc) => printer.message(desc)),
    "",
  ].join("\n");
}

class Printer {
  readonly #proto2: boolean;

  constructor(proto2: boolean) {
    this.#proto2 = proto2;
  }

  message(desc: DescMessage): string {
    const oneofs = desc.oneofs.map(
      (oneof) =>
        `oneof ${oneof.name} {\n${oneof.fields.map((field) => this.#field(field, "")).join("\n")}\n}`,
    );
    const plain = desc.fields.filter((field) => field.oneof === undefined);
    return block(`message ${desc.name}`, [
      ...desc.nestedEnums.map((nested) => this.enumeration(nested)),
      ...desc.nestedMessages.map((nested) => this.message(nested)),
      ...plain.map((field) => this.#field(field, this.#label(field))),
      ...oneofs,
      ...desc.proto.extensionRange.map(
        (range) => `extensions ${range.start} to ${range.end > 536870911 ? "max" : range.end - 1};`,
      ),
      ...desc.proto.reservedRange.map((range) => `reserved ${range.start} to ${range.end - 1};`),
      ...desc.proto.reservedName.map((name) => `reserved "${name}";`),
    ]);
  }

  enumeration(desc: DescEnum): string {
    const alias = desc.proto.options?.allowAlias ? ["option allow_alias = true;"] : [];
    return block(`enum ${desc.name}`, [
      ...alias,
      ...desc.values.map((value) => `${value.name} = ${value.number};`),
    ]);
  }

  extension(desc: DescExtension): string {
    return block(`extend .${desc.extendee.typeName}`, [this.#field(desc, this.#label(desc))]);
  }

  #field(field: DescField | DescExtension, label: string): string {
    return `${label}${typeOf(field)} ${field.name} = ${field.number};`;
  }

  #label(field: DescField | DescExtension): string {
    if (field.fieldKind === "list") return "repeated ";
    if (field.fieldKind === "map") return "";
    const explicit = field.presence === FeatureSet_FieldPresence.EXPLICIT;
    const needsLabel = this.#proto2 || (explicit && field.fieldKind !== "message");
    return needsLabel ? "optional " : "";
  }
}

function typeOf(field: DescField | DescExtension): string {
  if (field.fieldKind === "map") return `map<${scalar(field.mapKey)}, ${elementType(field)}>`;
  return elementType(field);
}

function elementType(field: DescField | DescExtension): string {
  if (field.message) return `.${field.message.typeName}`;
  if (field.enum) return `.${field.enum.typeName}`;
  return scalar(field.scalar as ScalarType);
}

function scalar(type: ScalarType): string {
  return (ScalarType[type] ?? "").toLowerCase();
}

function block(head: string, lines: string[]): string {
  return `${head} {\n${lines.join("\n")}\n}`;
}
