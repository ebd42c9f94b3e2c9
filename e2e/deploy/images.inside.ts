// Run by images.test.ts in a private network: node images.inside.ts <folder with the images>

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { waitFor } from "@3l1/kit/wait-for.ts";
import { root } from "../../scripts/run.ts";
import { Client, register } from "../client.ts";
import { readComposeFile } from "./compose-file.ts";
import { startPostgres, startRedis } from "./compose-stores.ts";
import { type Container, startContainer } from "./container.ts";
import type { Image } from "./image.ts";

const folder = process.argv[2] ?? "";
const secrets = join(folder, "secrets");
const adminPorts: Record<string, number> = {
  gateway: 6060,
  "user-service": 6061,
  "order-service": 6062,
};
const gatewayUrl = "http://127.0.0.1:8080";
const images: Record<string, Image> = JSON.parse(readFileSync(join(folder, "images.json"), "utf8"));
const { services } = readComposeFile();
const containers = new Map<string, Container>();
let stores: readonly ChildProcess[] = [];

after(() => {
  for (const container of containers.values()) container.kill();
  for (const store of stores) store.kill("SIGINT");
});

/** As compose.yaml does it, in its order. */
function makeSecrets(): void {
  execFileSync(process.execPath, [join(root, "deploy/compose/make-secrets.mts"), secrets]);
}

async function start(name: string): Promise<Container> {
  const image = images[name];
  assert.ok(image);
  const { environment = {} } = services[name] ?? {};
  const container = startContainer(image, join(secrets, name), environment);
  containers.set(name, container);
  const ready = () =>
    fetch(`http://127.0.0.1:${adminPorts[name]}/readyz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  await waitFor(name, ready).catch((error) => {
    throw new Error(`${error.message}:\n${container.output()}`);
  });
  assert.equal(await container.exec(image.healthCheck), 0);
  return container;
}

test("the files of a first start are those of every later one", () => {
  makeSecrets();
  const read = () => execFileSync("sh", ["-c", "cat */*"], { cwd: secrets, encoding: "utf8" });
  const first = read();
  makeSecrets();
  assert.equal(read(), first);
});

test("the containers of compose.yaml become healthy", async () => {
  const redis = services.redis;
  assert.ok(redis);
  stores = await Promise.all([
    startPostgres(join(folder, "postgres"), join(secrets, "postgres")),
    startRedis(join(folder, "redis"), join(secrets, "redis"), redis),
  ]);
  await Promise.all([start("user-service"), start("order-service")]);
  await start("gateway");
});

test("an order is placed by who registers, and seen by the administrator", async () => {
  const ann = await register(gatewayUrl);
  const items = [{ sku: "tea", quantity: 2, unitPriceMinor: 450 }];
  const order = await ann.post("/api/orders/add", { items, currencyCode: "EUR" });
  assert.equal(order.status, 201);
  const admin = new Client(gatewayUrl);
  const password = readFileSync(join(secrets, "user-service/admin_password"), "utf8").trim();
  const login = await admin.post("/api/users/log", { email: "admin@example.com", password });
  assert.equal(login.status, 200);
  const list = await admin.get<{ orders: unknown[] }>("/api/orders/list");
  assert.equal(list.body.orders.length, 1);
});

test("the gateway's image carries the web console", async () => {
  const html = await (await fetch(gatewayUrl)).text();
  const [, script = ""] = /src="(\/assets\/[^"]+\.js)"/.exec(html) ?? [];
  const answer = await fetch(gatewayUrl + script);
  assert.match(answer.headers.get("content-type") ?? "", /^text\/javascript/);
  assert.ok((await answer.text()).length > 10_000);
});

test("cookies are for https alone", async () => {
  const answer = await (await register(gatewayUrl)).post("/api/users/log", {});
  assert.equal(answer.status, 400);
  const { cookie = "" } = await register(gatewayUrl, "Bob");
  assert.match(cookie, /^__Host-session_key=/);
});

test("a process has no rights, no shell, and nothing that it can write to", async () => {
  const gateway = containers.get("gateway");
  const look = `
    const { readdirSync, readFileSync, writeFileSync } = require("node:fs");
    const status = readFileSync("/proc/1/status", "utf8");
    const fails = (act) => { try { act(); return false } catch (error) { return error.code } };
    const ok = /^Uid:\\t65532/m.test(status) && /^CapEff:\\t0+$/m.test(status)
      && readdirSync("/usr/local/bin").join() === "node" && !readdirSync("/").includes("bin")
      && fails(() => writeFileSync("/app/x", "")) === "EROFS"
      && fails(() => writeFileSync("/run/secrets/x", "")) === "EROFS";
    process.exitCode = ok ? 0 : 1;`;
  assert.equal(await gateway?.exec(["node", "-e", look]), 0);
  assert.notEqual(await gateway?.exec(["sh", "-c", "true"]), 0);
});

test("the databases can be migrated by a command, before a rollout", async () => {
  for (const name of ["user-service", "order-service"]) {
    const migrate = ["node", "src/run-migrations.js"];
    assert.equal(await containers.get(name)?.exec(migrate), 0, name);
  }
});

test("an admin page is read as the runbooks say", async () => {
  const runbooks = readFileSync(join(root, "monitoring/runbooks.md"), "utf8");
  const [, script = ""] = /exec gateway node -p '([^']+)'/.exec(runbooks) ?? [];
  assert.match(script, /readyz/);
  assert.equal(await containers.get("gateway")?.exec(["node", "-p", script]), 0);
});

test("SIGTERM reaches the process, which drains and exits with 0", async () => {
  for (const name of ["gateway", "order-service", "user-service"]) {
    const container = containers.get(name);
    assert.equal(await container?.stop(), 0, container?.output());
  }
});
