import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { fromBinary, toBinary } from "@bufbuild/protobuf";

/** Messages from a stream in which each has its length (32 bits, big-endian) before it. */
export async function* readMessages<D extends DescMessage>(
  input: AsyncIterable<Buffer>,
  desc: D,
): AsyncGenerator<MessageShape<D>> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of input) {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32BE(0)) {
      const end = 4 + rest.readUInt32BE(0);
      yield fromBinary(desc, rest.subarray(4, end));
      rest = rest.subarray(end);
    }
  }
}

/** A message with its length before it. */
export function frameMessage<D extends DescMessage>(desc: D, message: MessageShape<D>): Buffer {
  const body = toBinary(desc, message);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length);
  return Buffer.concat([length, body]);
}
