// Builds with Go what builds and checks the manifests for Kubernetes; minutes the first time. Afterwards
// `npm test` uses it:
//   node dev/launch.mjs e2e/deploy/kubernetes/install.ts
import { copyFile, mkdir } from "node:fs/promises";
import { run } from "../../../scripts/run.ts";
import { folder, program, sources } from "./manifests.ts";

await mkdir(folder, { recursive: true });
await run("go", ["build", "-o", program, "."], { cwd: sources, timeoutMs: 1_800_000 });
await copyFile(`${sources}/check.go`, `${program}.go`);
