// Builds Connect's conformance runner with Go, and with `-- generate` writes gen/ anew from the schema
// that comes with it. Afterwards `npm test` runs it too:
//   node dev/launch.mjs e2e/conformance/install.ts
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { runnerFolder } from "./runner.ts";

const run = promisify(execFile);
const module = "connectrpc.com/conformance";
const version = "v1.0.7";

await mkdir(runnerFolder, { recursive: true });
const env = { ...process.env, GOBIN: runnerFolder };
await run("go", ["install", `${module}/cmd/connectconformance@${version}`], { env });
if (process.argv.includes("generate")) await generate();

async function generate(): Promise<void> {
  const { stdout } = await run("go", ["mod", "download", "-json", `${module}@${version}`]);
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const here = fileURLToPath(new URL(".", import.meta.url));
  const template = `${here}buf.gen.yaml`;
  const bin = fileURLToPath(new URL("../../node_modules/.bin", import.meta.url));
  const unwanted = ["--exclude-path", `${Dir}/proto/connectrpc/conformance/v1/suite.proto`];
  const options = { cwd: here, env: { ...process.env, PATH: `${bin}:${process.env.PATH}` } };
  await run("buf", ["generate", `${Dir}/proto`, "--template", template, ...unwanted], options);
}
