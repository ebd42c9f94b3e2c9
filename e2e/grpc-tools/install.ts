// Builds grpcurl with Go, which takes some minutes. Afterwards `npm test` runs the lines of the README with it:
//   node dev/launch.mjs e2e/grpc-tools/install.ts
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { promisify } from "node:util";
import { grpcurlFolder } from "./grpcurl.ts";

const program = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.3";

await mkdir(grpcurlFolder, { recursive: true });
// Where Go's own installer puts it, PATH need not know.
const PATH = `${process.env.PATH}:/usr/local/go/bin`;
const env = { ...process.env, PATH, GOBIN: grpcurlFolder };
await promisify(execFile)("go", ["install", program], { env });
