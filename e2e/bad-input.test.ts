import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, get, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { type Platform, startPlatform } from "../dev/own-platform.ts";
import { type Answer, Client, items, type Problem, password, register } from "./client.ts";
import { hostileBodies } from "./hostile-bodies.ts";

let platform: Platform;
let ann: Awaited<ReturnType<typeof register>>;
before(async () => {
  platform = await startPlatform();
  ann = await register(platform.gatewayUrl);
});
after(() => platform.stop());

const order = { items, currencyCode: "EUR", note: "" };

function assertProblem(
  { status, headers, body }: Answer<Problem>,
  expected: number,
  what?: string,
): void {
  assert.equal(status, expected, `${what}: ${JSON.stringify(body).slice(0, 500)}`);
  assert.match(headers.get("content-type") ?? "", /^application\/problem\+json/, what);
  assert.equal(body.status, status);
  for (const field of ["type", "title", "detail", "instance", "code", "requestId"] as const)
    assert.equal(typeof body[field], "string", `${what}: ${field}`);
}

test("what is not there is 404, and a wrong method is 405 with those that are right", async () => {
  assertProblem(await ann.get("/api/nothing"), 404);
  const wrong = await ann.post("/api/users/me", {});
  assertProblem(wrong, 405);
  assert.equal(wrong.body.reason, "method_not_allowed");
  assert.match(wrong.headers.get("allow") ?? "", /GET/);
});

test("malformed JSON, other content types and bodies too large are told apart", async () => {
  const send = (body: string, type: string) =>
    ann.post("/api/orders/add", body, { "content-type": type });
  assertProblem(await send("{", "application/json"), 400);
  const xml = await send("<order/>", "application/xml");
  assertProblem(xml, 415);
  assert.equal(xml.body.reason, "unsupported_media_type");
  const large = await send(JSON.stringify({ note: "x".repeat(2 << 20) }), "application/json");
  assertProblem(large, 413);
  assert.equal(large.body.reason, "payload_too_large");
});

test("a violation names the field, as it stands in the JSON, and the rule", async () => {
  const tries: [unknown, string, RegExp][] = [
    [
      { ...order, items: [{ sku: "tea 1", quantity: 2, unitPriceMinor: 1 }] },
      "items[0].sku",
      /^string.pattern/,
    ],
    [
      { ...order, items: [...items, { sku: "b", quantity: 0, unitPriceMinor: 1 }] },
      "items[1].quantity",
      /^int32.gte/,
    ],
    [
      { ...order, items: [{ sku: "b", quantity: 1, unitPriceMinor: -1 }] },
      "items[0].unitPriceMinor",
      /^int64.gte/,
    ],
    [{ ...order, items: [] }, "items", /^repeated.min_items/],
    [{ ...order, currencyCode: "euro" }, "currencyCode", /^string.pattern/],
    [{ ...order, currencyCode: 5 }, "currencyCode", /./],
    [{ ...order, color: "red" }, "color", /./],
  ];
  for (const [body, field, rule] of tries) {
    const answer = await ann.post("/api/orders/add", body);
    assertProblem(answer, 400, field);
    assert.equal(answer.body.violations?.[0]?.field, field);
    assert.match(answer.body.violations?.[0]?.rule ?? "", rule);
    assert.ok(answer.body.violations?.[0]?.message);
  }
});

test("query parameters are held to the same rules", async () => {
  const tries = [
    ["/api/orders/list?pageSize=many", "pageSize"],
    ["/api/orders/list?pageSize=0", "pageSize"],
    ["/api/orders/list?status=LOST", "status"],
    ["/api/orders/list?colour=red", "colour"],
    ["/api/orders/info?id=1", "id"],
    ["/api/orders/info", "id"],
  ];
  for (const [path = "", field] of tries) {
    const answer = await ann.get(path);
    assertProblem(answer, 400, path);
    assert.equal(answer.body.violations?.[0]?.field, field, path);
  }
});

test("a weak password is refused with its reason, and never shown", async () => {
  for (const weak of ["short", "password12345678", "aaaaaaaaaaaaaaaaaaaa"]) {
    const account = { name: "Weak", email: "weak@example.com", password: weak };
    const answer = await new Client(platform.gatewayUrl).post("/api/users/reg", account);
    assertProblem(answer, 400, weak);
    assert.equal(answer.body.violations?.[0]?.field, "password");
    assert.ok(!JSON.stringify(answer.body).includes(`"${weak}"`));
  }
});

test("two hundred hostile bodies bring 4xx and never anything else", async () => {
  const paths = ["/api/orders/add", "/api/users/reg", "/api/users/log", "/api/users/ext"];
  let count = 0;
  for (const [what, body] of hostileBodies())
    for (const path of paths) {
      count++;
      const answer = await ann.post(path, body);
      // To look at no token, or at a strange one, is no mistake.
      const harmless = path === "/api/users/ext" && answer.status === 200;
      if (harmless) assert.ok("active" in answer.body, what);
      else {
        assert.ok(
          answer.status >= 400 && answer.status < 500,
          `${path}, ${what}: ${answer.status}`,
        );
        assertProblem(answer, answer.status, what);
      }
    }
  assert.ok(count >= 200, `${count} bodies`);
  assert.equal((await register(platform.gatewayUrl)).id.length, 36, "it still works");
});

test("headers too large and what is not HTTP get an answer too, and the connection ends", async () => {
  const huge = await rawAnswer(
    `GET /api/users/me HTTP/1.1\r\nhost: x\r\nx: ${"y".repeat(20_000)}\r\n\r\n`,
  );
  assert.match(huge, /^HTTP\/1.1 431 [\s\S]*application\/problem\+json/);
  assert.match(
    await rawAnswer("not http at all\r\n\r\n"),
    /^HTTP\/1.1 400 [\s\S]*application\/problem\+json/,
  );
});

test("10,000 paths that nobody has thought of bring no more than one new route into the metrics", async () => {
  const { adminUrl } = (await platform.now()).gateway;
  await ann.get("/api/users/me");
  const before = await labelsOf(adminUrl);
  const answers: (number | undefined)[] = [];
  await Promise.all(
    Array.from({ length: 20 }, async () => answers.push(...(await strangePaths(500)))),
  );
  assert.equal(answers.length, 10_000);
  for (const status of new Set(answers)) assert.ok(status === 404 || status === 400, `${status}`);
  const after = await labelsOf(adminUrl);
  const grown = [...after].filter((label) => !before.has(label));
  assert.deepEqual(
    grown.filter((label) => !/^(status_code="40[04]"|route="unmatched")$/.test(label)),
    [],
  );
});

/** Asks for so many random paths over one connection, and brings the statuses. */
async function strangePaths(count: number): Promise<(number | undefined)[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const prefixes = [
    "/",
    "/api/",
    "/api/orders/",
    "/api/users/me/",
    "/order.v1.OrderService/",
    "/%",
  ];
  const answers: (number | undefined)[] = [];
  while (answers.length < count) {
    const path = `${prefixes[answers.length % prefixes.length]}${randomUUID()}?q=${randomUUID()}`;
    const sent = get(platform.gatewayUrl + path, { agent });
    const [response]: IncomingMessage[] = await once(sent, "response");
    if (response === undefined) break;
    await once(response.resume(), "end");
    answers.push(response.statusCode);
  }
  agent.destroy();
  return answers;
}

/** Every label with its values, but for those of the runtime itself. */
async function labelsOf(adminUrl: string): Promise<Set<string>> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text();
  const lines = text.split("\n").filter((line) => !/^(#|nodejs_|process_)/.test(line));
  return new Set(lines.join("\n").match(/\b[a-z_]+="[^"]*"/g));
}

/** What comes back until the connection ends. */
function rawAnswer(text: string): Promise<string> {
  const { hostname, port } = new URL(platform.gatewayUrl);
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => socket.write(text));
    socket.setTimeout(10_000, () => socket.destroy(new Error("the connection stayed open")));
    socket.setEncoding("utf8").on("data", (chunk) => (answer += chunk));
    socket.on("error", reject).on("close", () => resolve(answer));
  });
}

test("no log line holds a password, a token or a session key", () => {
  for (const secret of [password, ann.token, ann.cookie?.split("=")[1]])
    assert.ok(secret && !platform.output().includes(secret));
});
