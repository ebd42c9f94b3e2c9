import assert from "node:assert/strict";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { parse } from "yaml";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { root, run } from "../scripts/run.ts";
import { password, register } from "./client.ts";

/*
 * The package of clients, in an app that knows nothing of this repository: packed and installed by npm,
 * type-checked, and run against a platform. The app is what gen/README.md shows.
 */

const gen = join(root, "gen");
let folder: string;
let platform: Platform;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "3l1-app-")));
  await run("npm", ["pack", "--pack-destination", folder], { cwd: gen });
  const { catalog } = parse(await readFile(join(root, "pnpm-workspace.yaml"), "utf8"));
  const manifest = { name: "app", private: true, type: "module" };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  const packages = ["@connectrpc/connect-web", "@connectrpc/connect-node", "@types/node"].map(
    (name) => `${name}@${catalog[name]}`,
  );
  const flags = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await run("npm", ["install", ...flags, "./3l1-gen-0.1.0.tgz", ...packages], { cwd: folder });
  platform = await startPlatform({ ACCESS_TOKEN_TTL_SECONDS: "2" });
});
after(async () => {
  await platform?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** What a browser does by itself. */
const cookieJar = `
let cookie = "";
const send = globalThis.fetch;
globalThis.fetch = async (input, init) => {
  const headers = new Headers(init?.headers);
  if (cookie !== "") headers.set("cookie", cookie);
  const response = await send(input, { ...init, headers });
  cookie = response.headers.getSetCookie()[0]?.split(";")[0] ?? cookie;
  return response;
};
`;

const story = `
const first = token.value;
while ((await users.introspect({ token: first })).active) await new Promise((wake) => setTimeout(wake, 100));
const { user } = await users.getUser({});

import { createConnectTransport as createNodeTransport } from "@connectrpc/connect-node";
const transportOfNode = createNodeTransport({ baseUrl, httpVersion: "1.1", interceptors: [token.interceptor] });
const inNode = createClient(OrderService, transportOfNode);
const items = [{ sku: "tea-1", quantity: 2, unitPriceMinor: 450n }];
const { order } = await inNode.createOrder({ items, currencyCode: "EUR" });

// @ts-expect-error: the fields of messages have types
items satisfies { quantity: string }[];
const reissued = token.value !== first;
const totalMinor = String(order?.totalMinor);
console.log(JSON.stringify({ before: mine.length, email: user?.email, reissued, totalMinor }));
`;

test("an app elsewhere installs the clients, is type-checked, and its token stays fresh", async () => {
  const readme = await readFile(join(gen, "README.md"), "utf8");
  const [, example = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const { email } = await register(platform.gatewayUrl);
  const shown = example.replace('baseUrl: "http://127.0.0.1:8080"', "baseUrl");
  assert.notEqual(shown, example);
  const known = { baseUrl: platform.gatewayUrl, email, password };
  const constants = Object.entries(known).map(([name, value]) => `const ${name} = "${value}";\n`);
  await writeFile(join(folder, "app.ts"), [...constants, cookieJar, shown, story].join(""));
  const compilerOptions = {
    ...{ strict: true, noEmit: true, skipLibCheck: false },
    ...{ target: "es2024", lib: ["es2024", "dom", "dom.iterable"] },
    ...{ module: "nodenext", types: ["node"] },
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions }));
  await run("tsc", ["--project", folder], { cwd: folder });
  const output = await run(process.execPath, ["app.ts"], { cwd: folder });
  assert.deepEqual(JSON.parse(output), { before: 0, email, reissued: true, totalMinor: "900" });
});

test("the package brings its license, its documents, and no source", async () => {
  const list = (await run("tar", ["-tzf", join(folder, "3l1-gen-0.1.0.tgz")])).trim().split("\n");
  const others = list.filter((path) => !path.startsWith("package/dist/")).sort();
  assert.deepEqual(others, [
    "package/LICENSE",
    "package/README.md",
    "package/openapi.json",
    "package/package.json",
  ]);
  for (const path of list.filter((path) => path.startsWith("package/dist/")))
    assert.match(path, /\.(?:js|d\.ts)$/);
  const license = await run("tar", ["-xOzf", join(folder, "3l1-gen-0.1.0.tgz"), "package/LICENSE"]);
  assert.equal(license, await readFile(join(root, "LICENSE"), "utf8"));
});

test("in the workspace the clients run on the very libraries that everything else has", async () => {
  const { peerDependencies } = JSON.parse(await readFile(join(gen, "package.json"), "utf8"));
  for (const name of Object.keys(peerDependencies)) {
    const [ours, theirs] = ["gen", "gateway"].map((each) =>
      realpath(join(root, each, "node_modules", name)),
    );
    assert.equal(await ours, await theirs, name);
  }
});
