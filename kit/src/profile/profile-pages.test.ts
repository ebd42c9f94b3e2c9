import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, test } from "node:test";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { Registry } from "@prometheus-io/client";
import { Profile } from "pprof-format";
import { createAdminServer } from "../admin-server.ts";
import { listen } from "../listen.ts";
import { profilePages } from "./profile-pages.ts";

const ending = new AbortController();
const server = createAdminServer({
  registry: new Registry(),
  isReady: () => true,
  details: new Map(),
  pages: profilePages(ending.signal),
});
const url = `http://127.0.0.1:${await listen(server, 0, "127.0.0.1", "PORT")}/debug/pprof`;
after(() => server.close().closeAllConnections());
const folder = await mkdtemp(join(tmpdir(), "3l1-profile-"));
after(() => rm(folder, { recursive: true, force: true }));

const kept: string[][] = [];

/** Calls itself, so that V8 does not put it into its caller. */
function fibonacci(n: number): number {
  if (n < 2) return n as number;
  return fibonacci(n - 1) + fibonacci(n - 2);
}

function burn(until: number): void {
  while (performance.now() < until) fibonacci(15);
}

function keep(until: number): void {
  kept.push(Array.from({ length: 2_000 }, (_, i) => `item ${i} of ${kept.length}`));
  while (performance.now() < until);
}

/** Works for some milliseconds at a time until a profile is there. */
async function whileBusy(work: (until: number) => unknown, path: string): Promise<Buffer> {
  let done = false;
  const answer = fetch(`${url}${path}`).finally(() => (done = true));
  while (!done) {
    work(performance.now() + 20);
    await new Promise(setImmediate);
  }
  const response = await answer;
  assert.equal(response.status, 200);
  return Buffer.from(await response.arrayBuffer());
}

/** What each function has to itself, by name, and the lines it was seen in. */
function selfOf(body: Buffer) {
  const { sample, location, function: functions, stringTable } = Profile.decode(gunzipSync(body));
  const textAt = (index: number | bigint | undefined) => stringTable.strings[Number(index)] ?? "";
  const self = new Map<string, { value: number; lines: Set<number>; file: string }>();
  for (const { locationId, value } of sample) {
    const line = location.find(({ id }) => id === locationId[0])?.line[0];
    const fn = functions.find(({ id }) => id === line?.functionId);
    const name = textAt(fn?.name);
    const known = self.get(name) ?? { value: 0, lines: new Set(), file: textAt(fn?.filename) };
    known.value += Number(value.at(-1));
    known.lines.add(Number(line?.line));
    self.set(name, known);
  }
  return self;
}

/** `go tool pprof -top`, where Go is. It builds itself the first time. */
async function topOf(body: Buffer): Promise<string | undefined> {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/go/bin"];
  const go = folders.map((each) => join(each, "go")).find((file) => existsSync(file));
  if (go === undefined) return undefined;
  const file = join(folder, "profile.pb.gz");
  await writeFile(file, body);
  const env = { ...process.env, GOTOOLCHAIN: "local" };
  return (await promisify(execFile)(go, ["tool", "pprof", "-top", file], { env })).stdout;
}

async function lineOf(text: string): Promise<number> {
  const lines = (await readFile(import.meta.filename, "utf8")).split("\n");
  return lines.findIndex((line) => line.includes(text)) + 1;
}

test("a CPU profile names the function that is busy, in its TypeScript file and line", async (t) => {
  const body = await whileBusy(burn, "/profile?seconds=1");
  const busy = selfOf(body).get("fibonacci") ?? assert.fail("no such function");
  assert.equal(busy.file, import.meta.filename);
  const all = [...selfOf(body).values()].reduce((sum, { value }) => sum + value, 0);
  assert.ok(busy.value > all / 2, `${busy.value} of ${all}`);
  assert.ok(busy.lines.has(await lineOf("return fibonacci(n")), `${[...busy.lines]}`);
  const top = await topOf(body);
  if (top === undefined) t.diagnostic("no Go here: not read by go tool pprof");
  else assert.match(top, /Type: cpu[\s\S]*fibonacci/);
});

test("a heap profile names who keeps memory", async () => {
  const body = await whileBusy(keep, "/heap?seconds=1");
  const { sample, location, function: functions, stringTable } = Profile.decode(gunzipSync(body));
  const fileOf = (fn: number | bigint | undefined) =>
    stringTable.strings[Number(functions.find(({ id }) => id === fn)?.filename)];
  const own = new Set(
    location
      .filter(({ line }) => fileOf(line[0]?.functionId) === import.meta.filename)
      .map(({ id }) => id),
  );
  const bytes = sample
    .filter(({ locationId }) => locationId.some((id) => own.has(id)))
    .reduce((sum, { value }) => sum + Number(value[0]), 0);
  assert.ok(bytes > 1_000_000, `${bytes}`);
});

test("seconds that make no sense are refused, and the index leads to what there is", async () => {
  for (const seconds of ["", "0", "0.5", "61", "-1", "1e1", "ten", "0x10", "Infinity", "1?"])
    assert.equal((await fetch(`${url}/profile?seconds=${seconds}`)).status, 400, seconds);
  for (const query of [
    "seconds",
    "seconds=1&seconds=1",
    "second=1",
    "Seconds=1",
    "seconds=1&x",
    "?x",
  ])
    assert.equal((await fetch(`${url}/heap?${query}`)).status, 400, query);
  const refused = await fetch(`${url}/profile?seconds=61`);
  assert.equal(
    await refused.text(),
    "seconds: the only parameter, given once, a number from 1 to 60\n",
  );
  const index = await fetch(`${url}/`);
  assert.match(index.headers.get("content-type") ?? "", /^text\/html/);
  for (const [, link] of (await index.text()).matchAll(/href="([^"?]+)/g))
    assert.equal((await fetch(`${url}/${link}?seconds=0`)).status, 400, link);
});

test("there is one profile at a time, and none for HEAD or who has left", async () => {
  const leaving = new AbortController();
  const first = fetch(`${url}/profile?seconds=60`, { signal: leaving.signal });
  const status = async () => (await fetch(`${url}/heap?seconds=1`)).status;
  while ((await status()) !== 409);
  for (const page of ["profile", "heap"]) {
    const { status, headers } = await fetch(`${url}/${page}`, { method: "HEAD" });
    assert.deepEqual([status, headers.get("content-type")], [200, "application/octet-stream"]);
    assert.equal((await fetch(`${url}/${page}?seconds=x`, { method: "HEAD" })).status, 400);
  }
  leaving.abort();
  await assert.rejects(first);
  while ((await status()) === 409);
});

test("the end of the process does not wait for a profile", async () => {
  const answer = fetch(`${url}/profile?seconds=60`);
  while ((await fetch(`${url}/heap?seconds=1`)).status !== 409);
  ending.abort();
  assert.equal((await answer).status, 503);
});
