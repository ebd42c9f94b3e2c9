import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Platform, startPlatform } from "../../dev/own-platform.ts";
import { root } from "../../scripts/run.ts";
import { grpcurlFolder, isInstalled } from "./grpcurl.ts";

let platform: Platform;
let lines: string;
before(async () => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const block = /<!-- A test runs these lines too.*?-->\s+```sh\n(.*?)```/s.exec(readme)?.[1];
  assert.ok(block, "the README has lines to run");
  platform = await startPlatform();
  const { userService, orderService } = await platform.now();
  lines = block
    .replace("127.0.0.1:50051", new URL(userService.url).host)
    .replace("127.0.0.1:50052", new URL(orderService.url).host);
});
after(() => platform.stop());

/** All that the lines print, errors too. */
function printed(prelude: string, account: string, env: Record<string, string>): Promise<string> {
  const script = prelude + lines.replace("bob@", `${account}@`);
  const path = [grpcurlFolder, join(root, "node_modules/.bin"), process.env.PATH].join(":");
  const options = { env: { ...process.env, PATH: path, ...env }, timeout: 120_000 };
  return new Promise((resolve) => {
    execFile("bash", ["-uo", "pipefail", "-c", script], options, (_, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}

function includesAll(output: string, parts: readonly string[]): void {
  for (const part of parts) assert.ok(output.includes(part), `${part} is missing in:\n${output}`);
}

const skip = isInstalled ? false : "not installed: node dev/launch.mjs e2e/grpc-tools/install.ts";

test("the README's gRPC lines do what they say", { skip }, async () => {
  const output = await printed("", "bob", {});
  includesAll(output, [
    "grpc.health.v1.Health\n",
    "order.v1.OrderService\n",
    "rpc ListOrders ( .order.v1.ListOrdersRequest ) returns ( .order.v1.ListOrdersResponse )",
    'get: "/api/orders/list"',
    '"status": "SERVING"',
    "\n{}\n",
    "Code: InvalidArgument",
    "buf.validate.Violations",
    '"ruleId": "int32.gte_lte"',
  ]);
  assert.doesNotMatch(output, /not recognized/, "reflection knows the details of errors");
  assert.equal(output.match(/ERROR:/g)?.length, 1, output);
});

for (const version of ["grpc-v1", "grpc-v1alpha"])
  test(`the same lines work with buf curl and reflection ${version}`, async () => {
    const shim = await readFile(join(import.meta.dirname, "buf-curl.sh"), "utf8");
    const output = await printed(shim, version, { REFLECT: version });
    includesAll(output, [
      "grpc.health.v1.Health\n",
      "order.v1.OrderService/ListOrders\n",
      '"status": "SERVING"',
      "\n{}\n",
      '"code": "invalid_argument"',
      '"type": "buf.validate.Violations"',
    ]);
    assert.equal(output.match(/"code":/g)?.length, 1, output);
  });
