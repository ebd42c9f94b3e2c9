import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import { curlLines } from "./banner.ts";

const run = promisify(execFile);

test("the lines to paste log in, and carry the token on, whatever the password holds", async (t) => {
  const account = { email: "demo@example.com", password: `it's $HOME "quoted" \\ & !` };
  const seen: [string, string, unknown][] = [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const bearer = request.headers.authorization ?? "";
    seen.push([request.url ?? "", bearer, body && JSON.parse(body)]);
    response.end(
      JSON.stringify({ user: { id: "1" }, token: "a.b-c_d", tokenExpiresInSeconds: 300 }),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await run("sh", ["-c", curlLines(`http://127.0.0.1:${port}`, account).join("\n")]);
  assert.deepEqual(
    seen.map(([url, bearer]) => [url, bearer]),
    [
      ["/api/users/log", ""],
      ["/api/orders/add", "Bearer a.b-c_d"],
      ["/api/orders/list?pageSize=2", "Bearer a.b-c_d"],
    ],
  );
  assert.deepEqual(seen[0]?.[2], account);
});
