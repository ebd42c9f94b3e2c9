import { ServerReflection as ReflectionV1 } from "@3l1/gen/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ReflectionV1Alpha } from "@3l1/gen/grpc/reflection/v1alpha/reflection_pb.ts";
import { file_platform_v1_error } from "@3l1/gen/platform/v1/error_pb.ts";
import { type DescFile, type DescService, toBinary } from "@bufbuild/protobuf";
import { nestedTypes } from "@bufbuild/protobuf/reflect";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, type ConnectRouter } from "@connectrpc/connect";

/** A request of either version: their messages differ in the name of the package alone. */
interface Question {
  readonly host: string;
  readonly messageRequest:
    | { case: "fileByFilename" | "fileContainingSymbol"; value: string }
    | { case: "allExtensionNumbersOfType" | "listServices"; value: string }
    | {
        case: "fileContainingExtension";
        value: { containingType: string; extensionNumber: number };
      }
    | { case: undefined; value?: undefined };
}

/** Most questions that one stream answers. Tools ask a few dozen. */
const maxQuestions = 1000;

/**
 * Adds server reflection, v1 and v1alpha, so that grpcurl and `buf curl` need no schema. It also knows the
 * details of errors, which no method names.
 */
export function addReflection(router: ConnectRouter, services: readonly DescService[]): void {
  const all = [...services, ReflectionV1, ReflectionV1Alpha];
  const names = all.map(({ typeName }) => ({ name: typeName }));
  const index = indexFiles([...all.map((service) => service.file), file_platform_v1_error]);

  async function* serverReflectionInfo(questions: AsyncIterable<Question>) {
    const sent = new Set<DescFile>();
    let count = 0;
    for await (const { host, messageRequest } of questions) {
      if (++count > maxQuestions) return;
      const messageResponse =
        messageRequest.case === "listServices"
          ? { case: "listServicesResponse" as const, value: { service: names } }
          : answer(messageRequest, index, sent);
      yield { validHost: host, originalRequest: { host, messageRequest }, messageResponse };
    }
  }
  router.service(ReflectionV1, { serverReflectionInfo });
  router.service(ReflectionV1Alpha, { serverReflectionInfo });
}

interface FileIndex {
  readonly byName: Map<string, DescFile>;
  readonly bySymbol: Map<string, DescFile>;
  readonly byExtension: Map<string, Map<number, DescFile>>;
}

function indexFiles(roots: readonly DescFile[]): FileIndex {
  const index: FileIndex = { byName: new Map(), bySymbol: new Map(), byExtension: new Map() };
  const add = (file: DescFile): void => {
    if (index.byName.has(file.proto.name)) return;
    index.byName.set(file.proto.name, file);
    file.dependencies.forEach(add);
    for (const type of nestedTypes(file)) {
      index.bySymbol.set(type.typeName, file);
      if (type.kind === "service")
        for (const method of type.methods)
          index.bySymbol.set(`${type.typeName}.${method.name}`, file);
      if (type.kind === "message")
        for (const field of type.fields) index.bySymbol.set(`${type.typeName}.${field.name}`, file);
      if (type.kind === "extension") {
        const known = index.byExtension.get(type.extendee.typeName) ?? new Map();
        index.byExtension.set(type.extendee.typeName, known.set(type.number, file));
      }
    }
  };
  roots.forEach(add);
  return index;
}

function answer(asked: Question["messageRequest"], index: FileIndex, sent: Set<DescFile>) {
  switch (asked.case) {
    case "fileByFilename":
      return fileAnswer(index.byName.get(asked.value), sent);
    case "fileContainingSymbol":
      return fileAnswer(index.bySymbol.get(asked.value.replace(/^\./, "")), sent);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = asked.value;
      return fileAnswer(index.byExtension.get(containingType)?.get(extensionNumber), sent);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = [...(index.byExtension.get(asked.value)?.keys() ?? [])];
      if (!index.bySymbol.has(asked.value)) return errorAnswer(Code.NotFound, "no such type");
      const value = { baseTypeName: asked.value, extensionNumber };
      return { case: "allExtensionNumbersResponse" as const, value };
    }
    default:
      return errorAnswer(Code.InvalidArgument, "nothing asked");
  }
}

function fileAnswer(file: DescFile | undefined, sent: Set<DescFile>) {
  if (file === undefined) return errorAnswer(Code.NotFound, "no such file or symbol");
  const files = withDependencies(file, sent);
  const fileDescriptorProto = (files.length > 0 ? files : [file]).map(({ proto }) =>
    toBinary(FileDescriptorProtoSchema, proto),
  );
  return { case: "fileDescriptorResponse" as const, value: { fileDescriptorProto } };
}

/** The file and all that it imports, less what the stream has carried already. */
function withDependencies(file: DescFile, sent: Set<DescFile>): DescFile[] {
  if (sent.has(file)) return [];
  sent.add(file);
  return [file, ...file.dependencies.flatMap((each) => withDependencies(each, sent))];
}

function errorAnswer(errorCode: Code, errorMessage: string) {
  return { case: "errorResponse" as const, value: { errorCode, errorMessage } };
}
