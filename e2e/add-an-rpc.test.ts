import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { copyRepository, type ScratchCopy } from "./scratch-copy.ts";

/*
 * Follows docs/add-an-rpc.md to the letter, in a copy of the repository: its code goes where it says, and
 * its lines are run. Only ports differ, and `buf curl` stands in for grpcurl.
 */

let copy: ScratchCopy;
before(async () => {
  copy = await copyRepository();
});
after(() => copy[Symbol.asyncDispose]());

interface Step {
  /** What the document says between the block before and this one. */
  readonly words: string;
  readonly language: string;
  readonly code: string;
}

async function readSteps(): Promise<Step[]> {
  const text = await readFile(join(copy.folder, "docs/add-an-rpc.md"), "utf8");
  const blocks = text.matchAll(/(.*?)^```(\w+)\n(.*?)^```$/gms);
  return [...blocks].map(([, words = "", language = "", code = ""]) => ({ words, language, code }));
}

/** Puts code below the first line that has the text in question, or at the end. */
async function insert(path: string, words: string, code: string): Promise<void> {
  const file = join(copy.folder, path);
  const lines = (await readFile(file, "utf8")).split("\n");
  const [, anchor] = /below\s+(?:the first )?`([^`]+)`/.exec(words) ?? [];
  if (anchor === undefined) assert.match(words, /end of the file/);
  const at = anchor === undefined ? lines.length - 1 : lines.findIndex((l) => l.includes(anchor));
  assert.ok(at >= 0, `${path} has no ${anchor}`);
  lines.splice(at + (anchor === undefined ? 0 : 1), 0, ...code.split("\n").slice(0, -1));
  await writeFile(file, lines.join("\n"));
}

/** `npm run x` without the launcher, which would look after the libraries that the copy only borrows. */
async function withoutLauncher(code: string): Promise<string> {
  const { scripts } = JSON.parse(await readFile(join(copy.folder, "package.json"), "utf8"));
  return code.replaceAll(/npm run (\S+)/g, (_, name: string) =>
    scripts[name].replace("exec node dev/launch.mjs", process.execPath),
  );
}

async function runOnPlatform(code: string): Promise<string> {
  const ownPlatform: typeof import("../dev/own-platform.ts") = await import(
    join(copy.folder, "dev/own-platform.ts")
  );
  const shim = await readFile(join(copy.folder, "e2e/grpc-tools/buf-curl.sh"), "utf8");
  const platform = await ownPlatform.startPlatform();
  try {
    const { orderService } = await platform.now();
    const lines = code
      .replaceAll("http://127.0.0.1:8080", platform.gatewayUrl)
      .replaceAll("127.0.0.1:50052", new URL(orderService.url).host);
    return await copy.run("bash", "-euo", "pipefail", "-c", shim + lines);
  } finally {
    await platform.stop();
  }
}

test("the walk-through ends with an RPC that every face serves", async () => {
  let path = "";
  let output = "";
  let started = false;
  for (const { words, language, code } of await readSteps()) {
    path = /\[`([^`]+)`\]/.exec(words)?.[1] ?? path;
    if (language !== "sh") await insert(path, words, code);
    else if (code === "npm start\n") started = true;
    else if (started) output = await runOnPlatform(code);
    else await copy.run("bash", "-euo", "pipefail", "-c", await withoutLauncher(code));
  }
  const config = join(copy.folder, "tsconfig.walk.json");
  await writeFile(config, '{ "extends": "./tsconfig.json", "include": ["order-service/src"] }');
  await copy.run("tsc", "--project", config);
  await copy.run("biome", "check", "order-service/src/orders.ts");
  assert.equal(output.match(/"sku": ?"tea-2"/g)?.length, 3, `REST, Connect, gRPC in:\n${output}`);
  for (const part of [
    '"code":"not_found"',
    '"field":"status"',
    '"/api/orders/latest": {',
    "order.v1.OrderService/GetLatestOrder",
  ])
    assert.ok(output.includes(part), `${part} is missing in:\n${output}`);
});
