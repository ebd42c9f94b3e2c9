// Builds with Go what builds and checks the manifests for Kubernetes; minutes the first time. Afterwards
// `npm test` uses it:
//   node dev/launch.mjs e2e/deploy/kubernetes/install.ts
import { copyFile, mkdir } from "node:fs/promises";
import { run } from "../../../scripts/run.ts";
import { folder, program, sources } from "./manifests.ts";

await mkdir(folder, { recursive: true });
// Where Go's own installer puts it, PATH need not know.
const env = { PATH: `${process.env.PATH}:/usr/local/go/bin` };
const build = ["build", "-buildvcs=false", "-o", program, "."];
await run("go", build, { cwd: sources, env, timeoutMs: 1_800_000 });
await copyFile(`${sources}/check.go`, `${program}.go`);
