import { copyFile, mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { file_buf_validate_validate } from "@bufbuild/protovalidate/gen/buf/validate/validate_pb.js";
import { printProto } from "./print-proto.ts";

const packages = join(import.meta.dirname, "../node_modules");

/** Where each schema that we import but do not own is found in an installed package. */
const shipped = {
  "google/api/annotations.proto": ["protobufjs", "google/api/annotations.proto"],
  "google/api/http.proto": ["protobufjs", "google/api/http.proto"],
  "grpc/health/v1/health.proto": ["grpc-health-check", "proto/health/v1/health.proto"],
  "grpc/reflection/v1/reflection.proto": [
    "@grpc/reflection",
    "build/proto/grpc/reflection/v1/reflection.proto",
  ],
  "grpc/reflection/v1alpha/reflection.proto": [
    "@grpc/reflection",
    "build/proto/grpc/reflection/v1alpha/reflection.proto",
  ],
} as const;

/**
 * Fills `root` with the third-party schemas that proto/ imports, taken from the packages that ship
 * them, so that buf works without a network. protovalidate ships a descriptor only: it is printed.
 */
export async function layOutThirdPartyProtos(root: string): Promise<void> {
  await rm(root, { recursive: true, force: true });
  for (const [path, [name, source]] of Object.entries(shipped)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(packages, name, source), target);
  }
  const validate = join(root, "buf/validate/validate.proto");
  await mkdir(dirname(validate), { recursive: true });
  await writeFile(validate, printProto(file_buf_validate_validate));
}
