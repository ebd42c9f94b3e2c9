// Builds Connect's conformance runner with Go, and generates TypeScript from the schema that comes with it.
// Both stay out of the repository: they are Connect's. Afterwards `npm test` runs the suite too:
//   node dev/launch.mjs e2e/conformance/install.ts
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runnerFolder } from "./runner.ts";

const run = promisify(execFile);
const module = "connectrpc.com/conformance";
const version = "v1.0.7";
const template = fileURLToPath(new URL("buf.gen.yaml", import.meta.url));
const bin = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));

await mkdir(runnerFolder, { recursive: true });
// Where Go's own installer puts it, PATH need not know.
const PATH = `${bin}:${process.env.PATH}:/usr/local/go/bin`;
const env = { ...process.env, PATH, GOBIN: runnerFolder };
const { stdout } = await run("go", ["mod", "download", "-json", `${module}@${version}`], { env });
const { Dir } = JSON.parse(stdout) as { Dir: string };
const suite = `${Dir}/proto/connectrpc/conformance/v1/suite.proto`;
const options = ["--template", template, "--output", runnerFolder, "--exclude-path", suite];
await run("buf", ["generate", `${Dir}/proto`, ...options], { env });
await run("go", ["install", `${module}/cmd/connectconformance@${version}`], { env });
