import type { Header } from "../../.local/conformance/gen/connectrpc/conformance/v1/service_pb.ts";

/** The runner's form of headers. A value that was joined from several is split again. */
export function fromHeaders(headers: Headers | undefined) {
  return [...(headers ?? [])].map(([name, value]) => ({ name, value: value.split(", ") }));
}

export function addHeaders(headers: Headers, added: readonly Header[]): Headers {
  for (const { name, value } of added) for (const each of value) headers.append(name, each);
  return headers;
}
