import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import Fastify from "fastify";
import { webConsole } from "./console.ts";
import { accessLog } from "./plugins/access-log.ts";
import { compress } from "./plugins/compress.ts";
import { problemDetails } from "./plugins/problem-details.ts";
import { requestId } from "./plugins/request-id.ts";
import { securityHeaders } from "./plugins/security-headers.ts";

const folder = await mkdtemp(join(tmpdir(), "3l1-console-"));
after(() => rm(folder, { recursive: true, force: true }));

const app = Fastify();
for (const plugin of [requestId, accessLog, problemDetails, securityHeaders, compress])
  await app.register(plugin);
await app.register(webConsole, { folder });
after(() => app.close());

const script = "console.log(1);".repeat(200);

/** @param second when it was built */
async function build(html: string, second: number): Promise<void> {
  await mkdir(join(folder, "assets"), { recursive: true });
  await writeFile(join(folder, "assets/index-abc.js"), script);
  await writeFile(join(folder, "assets/index-abc.js.map"), "{}");
  await writeFile(join(folder, "index.html"), html);
  await utimes(join(folder, "index.html"), second, second);
}

test("without a build the page says how to make one", async () => {
  const answer = await app.inject("/");
  assert.equal(answer.statusCode, 200);
  assert.match(answer.headers["content-type"] ?? "", /^text\/plain/);
  assert.match(answer.body, /npm run console/);
  assert.equal((await app.inject("/assets/index-abc.js")).statusCode, 404);
});

test("a build is found when it is there, and so is the next one", async () => {
  await build("<title>one</title>", 1_000);
  assert.equal((await app.inject("/")).body, "<title>one</title>");
  await build("<title>two</title>", 2_000);
  assert.equal((await app.inject("/")).body, "<title>two</title>");
});

test("the page allows nothing inline and nothing from elsewhere, and is asked for each time", async () => {
  const { headers } = await app.inject("/");
  assert.equal(
    headers["content-security-policy"],
    "default-src 'none'; base-uri 'none'; connect-src 'self'; form-action 'self'; " +
      "frame-ancestors 'none'; img-src 'self' data:; script-src 'self'; style-src 'self'",
  );
  assert.equal(headers["cache-control"], "no-cache");
  assert.equal(headers["x-content-type-options"], "nosniff");
});

test("who has the page is told so: by its tag, by a weak one, by any", async () => {
  const { etag } = (await app.inject("/")).headers;
  for (const method of ["GET", "HEAD"] as const)
    for (const held of [`${etag}`, `"other", W/${etag}`, "*"]) {
      const headers = { "if-none-match": held };
      const { statusCode, body } = await app.inject({ method, url: "/", headers });
      assert.deepEqual([statusCode, body], [304, ""], held);
    }
  const headers = { "if-none-match": '"other"' };
  assert.equal((await app.inject({ url: "/", headers })).statusCode, 200);
});

test("parts are kept for good, since another content has another name", async () => {
  const { headers, body } = await app.inject("/assets/index-abc.js");
  assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
  assert.match(headers["content-type"] ?? "", /^text\/javascript/);
  assert.equal(body, script);
});

test("parts travel in the encoding that the client likes best, the smallest of several", async () => {
  for (const [accepted, expected] of [
    ["br", "br"],
    ["gzip", "gzip"],
    ["gzip, deflate, br, zstd", "br"],
    ["*", "br"],
    ["br;q=0, gzip;q=0.1", "gzip"],
    ["br;q=0.1, gzip;q=0.2", "gzip"],
    ["gzip;q=0.5, identity", undefined],
    ["br;q=0, gzip;q=0.000", undefined],
    ["deflate", undefined],
    ["", undefined],
  ] as const) {
    const headers = { "accept-encoding": accepted };
    const answer = await app.inject({ url: "/assets/index-abc.js", headers });
    assert.equal(answer.headers["content-encoding"], expected, accepted);
    assert.match(`${answer.headers.vary}`, /accept-encoding/);
    assert.equal(answer.rawPayload.length < script.length / 2, expected !== undefined, accepted);
  }
});

test("each encoding has a tag of its own", async () => {
  const url = "/assets/index-abc.js";
  const tagOf = async (encoding: string) =>
    `${(await app.inject({ url, headers: { "accept-encoding": encoding } })).headers.etag}`;
  const tags = await Promise.all(["br", "gzip", "identity"].map(tagOf));
  assert.equal(new Set(tags).size, 3);
  const held = { "if-none-match": `${tags[0]}` };
  const inGzip = { ...held, "accept-encoding": "gzip" };
  assert.equal((await app.inject({ url, headers: inGzip })).statusCode, 200);
  const inBrotli = { ...held, "accept-encoding": "br" };
  assert.equal((await app.inject({ url, headers: inBrotli })).statusCode, 304);
});

test("HEAD answers as GET does, without the body", async () => {
  for (const url of ["/", "/assets/index-abc.js"]) {
    const [get, head] = await Promise.all([app.inject(url), app.inject({ method: "HEAD", url })]);
    assert.equal(head.statusCode, 200);
    assert.equal(head.body, "");
    for (const name of ["etag", "content-type", "cache-control", "content-length"])
      assert.equal(head.headers[name], get.headers[name], name);
  }
});

test("what is no part of the build is not there", async () => {
  const strange = [
    "/assets/",
    "/assets/other.js",
    "/assets/index-abc.js.map",
    "/assets/..%2findex.html",
    "/assets/%2e%2e%2findex.html",
    "/assets/constructor",
    "/index.html",
    "/favicon.ico",
    "/orders",
    "/api",
  ];
  for (const url of strange) {
    const answer = await app.inject(url);
    assert.equal(answer.statusCode, 404, url);
    assert.match(answer.headers["content-type"] ?? "", /problem\+json/);
  }
});
