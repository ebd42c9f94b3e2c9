import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { after, test } from "node:test";
import { startGateway } from "../test/gateway.ts";
import { headOf, rawRequest } from "../test/raw-request.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL, {
  env: { CORS_ORIGINS: "https://app.example.com" },
});
after(() => gateway[Symbol.asyncDispose]());

test("the OpenAPI document is the one that was generated", async () => {
  const response = await gateway.fetch("/api/openapi.json");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type") ?? "", /^application\/json/);
  const file = new URL(import.meta.resolve("@3l1/gen/openapi.json"));
  assert.equal(await response.text(), await readFile(file, "utf8"));
});

test("the page needs nothing from elsewhere, and nothing inline", async () => {
  const response = await gateway.fetch("/api/docs");
  assert.match(response.headers.get("content-type") ?? "", /^text\/html/);
  const policy = response.headers.get("content-security-policy") ?? "";
  assert.match(policy, /default-src 'none'.*script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe|\*|http/);
  const html = await response.text();
  assert.doesNotMatch(html, /<style|<script>|\sstyle=|\son\w+=|https?:/);
  const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link = ""]) => link);
  assert.ok(links.length >= 5);
  for (const link of links) {
    const part = await gateway.fetch(link);
    assert.equal(part.status, 200, link);
    assert.ok((await part.arrayBuffer()).byteLength > 0);
  }
  const slash = await gateway.fetch("/api/docs/", { redirect: "manual" });
  assert.deepEqual([slash.status, slash.headers.get("location")], [308, "/api/docs"]);
});

test("a client that has a part is not sent it again", async () => {
  const first = await gateway.fetch("/api/docs/swagger-ui.css");
  const etag = first.headers.get("etag") ?? assert.fail("no etag");
  assert.equal(first.headers.get("cache-control"), "no-cache");
  await first.arrayBuffer();
  const headers = { "if-none-match": etag };
  const again = await gateway.fetch("/api/docs/swagger-ui.css", { headers });
  assert.equal(again.status, 304);
  const other = await gateway.fetch("/api/docs/swagger-ui.js", { headers });
  assert.equal(other.status, 200);
  await other.arrayBuffer();
});

test("large parts travel compressed, as the client takes them", async () => {
  const headOfAnswer = async (encoding: string) => {
    const request = headOf(
      "GET /api/openapi.json HTTP/1.0",
      "host: localhost",
      `accept-encoding: ${encoding}`,
    );
    const [head = ""] = (await rawRequest(gateway.port, request)).split("\r\n\r\n");
    return head;
  };
  for (const [encoding, expected] of [
    ["gzip, deflate, br", "br"],
    ["gzip", "gzip"],
    ["br;q=0, gzip;q=0.5", "gzip"],
    ["identity", undefined],
    ["brotli", undefined],
  ] as const) {
    const head = await headOfAnswer(encoding);
    assert.equal(/content-encoding: (\w+)/.exec(head)?.[1], expected, encoding);
    assert.match(head, /vary: Origin, accept-encoding/i);
  }
});

test("compressed parts are whole", async () => {
  const plain = await (await gateway.fetch("/api/docs/page.js")).text();
  for (const encoding of ["br", "gzip"]) {
    const headers = { "accept-encoding": encoding };
    const response = await gateway.fetch("/api/docs/page.js", { headers });
    assert.equal(response.headers.get("content-encoding"), encoding);
    assert.equal(await response.text(), plain);
  }
});
