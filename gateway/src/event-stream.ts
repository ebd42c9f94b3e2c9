import { stream } from "@3l1/gen/platform/v1/stream_pb.ts";
import {
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type MessageShape,
  ScalarType,
  toJsonString,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";

/** Writes messages as events of `text/event-stream`, as the options of their fields say. */
export interface EventFormat<D extends DescMessage> {
  encode(message: MessageShape<D>): string;
}

/**
 * The format of a stream's answers: the id of the event from the field marked with `event_id`, its name
 * from the member of a oneof that is set, and as data the whole message in JSON. A member marked as
 * `heartbeat` becomes a comment, and an id without an event: the client remembers it, and nobody is told.
 */
export function eventFormatOf<D extends DescMessage>(desc: D): EventFormat<D> {
  const idField = eventIdFieldOf(desc);
  return {
    encode(message) {
      const reflected = reflect(desc, message);
      const member = desc.oneofs.map((oneof) => reflected.oneofCase(oneof)).find(Boolean);
      const id = idField ? line("id", String(reflected.get(idField))) : "";
      if (member !== undefined && optionOf(member)?.heartbeat) return `: heartbeat\n${id}\n`;
      const name = member ? line("event", nameOf(member)) : "";
      const data = toJsonString(desc, message, { alwaysEmitImplicit: true });
      return `${name}${id}${line("data", data)}\n`;
    },
  };
}

/** Something that the stream itself has to say, beside its messages. */
export function encodeEvent(name: string, data: unknown): string {
  return `${line("event", name)}${line("data", JSON.stringify(data))}\n`;
}

/**
 * The field that is the id of an event, in a request or in an answer; `undefined` if none is.
 *
 * @throws when the schema asks for something that this gateway cannot do; it then does not start.
 */
export function eventIdFieldOf(desc: DescMessage): DescField | undefined {
  const field = desc.fields.find((each) => optionOf(each)?.eventId);
  if (field !== undefined && (field.fieldKind !== "scalar" || field.scalar !== ScalarType.STRING))
    throw new Error(`${desc.typeName}.${field.name}: the id of an event must be a string`);
  return field;
}

/** The names of the events that a stream's answers can be, heartbeats left out. */
export function eventNamesOf(desc: DescMessage): string[] {
  return desc.oneofs
    .flatMap(({ fields }) => fields)
    .filter((field) => !optionOf(field)?.heartbeat)
    .map(nameOf);
}

function optionOf(field: DescField) {
  return hasOption(field, stream) ? getOption(field, stream) : undefined;
}

function nameOf(member: DescField): string {
  return optionOf(member)?.eventName || member.jsonName;
}

/** A field of an event. What would end the line early is left out: no id and no JSON of ours has it. */
function line(name: string, value: string): string {
  return `${name}: ${value.replaceAll(/[\r\n\0]/g, "")}\n`;
}
