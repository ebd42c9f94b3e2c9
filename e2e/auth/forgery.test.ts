import assert from "node:assert/strict";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import type { IntrospectResponseJson } from "@3l1/gen/user/v1/user_service_pb.ts";
import { type JWTPayload, SignJWT } from "jose";
import { type Answer, Client, register } from "../client.ts";
import { makeSessionKey } from "./forge.ts";
import { claimsOf, holding, me, startTwoGateways, type TwoGateways } from "./two-gateways.ts";

let both: TwoGateways;
/** Where headers of forged tokens point to. Nobody may ever come. */
const lure = createServer((_, response) => response.end());
let visits = 0;
lure.on("connection", () => visits++);
before(async () => {
  both = await startTwoGateways({ ACCESS_TOKEN_TTL_SECONDS: "300" });
  await new Promise<void>((listening) => lure.listen(0, "127.0.0.1", listening));
});
after(async () => {
  lure.close();
  await both.stop();
});

function assertUntouched({ headers }: Answer<unknown>): void {
  assert.ok(!headers.has("x-access-token"));
  assert.deepEqual(headers.getSetCookie(), []);
}

/** Refused on both gateways, however good the cookie beside it. */
async function assertRefused(token: string, cookie: string | undefined, what: string) {
  for (const url of both.urls) {
    const answer = await holding(url, { token, cookie }).get(me);
    assert.equal(answer.status, 401, what);
    assertUntouched(answer);
    const { body } = await new Client(url).post<IntrospectResponseJson>("/api/users/ext", {
      token,
    });
    assert.deepEqual(body, { active: false }, what);
  }
}

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");

test("a token that is right but for one claim or header is refused, a good cookie or not", async () => {
  const ann = await register(both.urls[0]);
  const claims = claimsOf(ann.token) as JWTPayload;
  const now = Math.floor(Date.now() / 1000);
  const { inside } = both;
  const control = await inside.sign(claims);
  assert.equal((await holding(both.urls[1], { token: control }).get(me)).status, 200);
  const forged: Record<string, Promise<string>> = {
    "another audience": inside.sign({ ...claims, aud: "elsewhere" }),
    "another issuer": inside.sign({ ...claims, iss: "https://evil.example" }),
    "no issuer": inside.sign({ ...claims, iss: undefined } as never),
    "a later iat": inside.sign({ ...claims, iat: now + 60, exp: now + 300 }),
    "not valid yet": inside.sign({ ...claims, nbf: now + 120 }),
    "no expiry": inside.sign({ ...claims, exp: undefined } as never),
    "no session": inside.sign({ ...claims, sid: undefined }),
    "an epoch that is no number": inside.sign({ ...claims, ep: "9" }),
    "an ID token": inside.sign(claims, { typ: "JWT" }),
    "no type": inside.sign(claims, { typ: undefined } as never),
    "expired, of another audience": inside.sign({ ...claims, aud: "x", exp: now - 1 }),
  };
  for (const [what, token] of Object.entries(forged))
    await assertRefused(await token, ann.cookie, what);
});

test("a token that another key signed is refused, whatever its header points to, and nobody asks there", async () => {
  const ann = await register(both.urls[0]);
  const claims = claimsOf(ann.token) as JWTPayload;
  const [head = "", payload, signature = ""] = (ann.token ?? "").split(".");
  const { kid } = JSON.parse(Buffer.from(head, "base64url").toString());
  const jwks = await new Client(both.urls[0]).get<{ keys: { kid: string; x: string }[] }>(
    "/.well-known/jwks.json",
  );
  const own = jwks.body.keys.find((key) => key.kid === kid);
  assert.ok(own);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const jwk = publicKey.export({ format: "jwk" }) as Record<string, string>;
  const url = `http://127.0.0.1:${(lure.address() as AddressInfo).port}`;
  const header = { alg: "EdDSA", typ: "at+jwt", kid };
  const mine = (more: object) =>
    new SignJWT(claims).setProtectedHeader({ ...header, ...more } as never).sign(privateKey);
  const symmetric = (secret: Uint8Array, more: object = {}) =>
    new SignJWT(claims).setProtectedHeader({ ...header, alg: "HS256", ...more }).sign(secret);
  const unsigned = (alg: string) => `${encode({ ...header, alg })}.${payload}.`;
  const admin = encode({ ...claims, roles: ["admin"] });
  const last = signature.at(-2) === "A" ? "B" : "A";

  const forged: Record<string, string> = {
    "alg none": unsigned("none"),
    "alg None": unsigned("None"),
    "alg none with the signature": `${encode({ ...header, alg: "none" })}.${payload}.${signature}`,
    "HS256 with the public key": await symmetric(Buffer.from(own.x, "base64url")),
    "HS256 with the public key as it is written": await symmetric(Buffer.from(own.x)),
    "HS256 with the JWK": await symmetric(Buffer.from(JSON.stringify(own))),
    "HS256, a path as kid": await symmetric(Buffer.alloc(32), { kid: "../../../../dev/null" }),
    "a path as kid": await mine({ kid: "../../../../etc/passwd" }),
    "a URL as kid": await mine({ kid: `${url}/key` }),
    "SQL as kid": await mine({ kid: "x' or '1'='1" }),
    "a property of every object as kid": await mine({ kid: "__proto__" }),
    "an unknown kid": await mine({ kid: randomBytes(32).toString("base64url") }),
    "no kid": await mine({ kid: undefined }),
    "the known kid": await mine({}),
    jwk: await mine({ jwk }),
    "jwk of its own kid": await mine({ jwk: { ...jwk, kid: "mine" }, kid: "mine" }),
    jku: await mine({ jku: `${url}/jwks.json` }),
    x5u: await mine({ x5u: `${url}/cert.pem` }),
    x5c: await mine({
      x5c: [publicKey.export({ format: "der", type: "spki" }).toString("base64")],
    }),
    "another role": `${head}.${admin}.${signature}`,
    "a broken signature": `${head}.${payload}.${signature.slice(0, -2)}${last}${signature.at(-1)}`,
    "no signature": `${head}.${payload}.`,
    "an encrypted token": `${head}..${signature}.${payload}.${signature}`,
    garbage: "garbage",
  };
  for (const [what, token] of Object.entries(forged)) await assertRefused(token, ann.cookie, what);
  assert.equal(visits, 0, "no connection was made");
  assert.equal((await ann.get(me)).status, 200);
});

test("a key that is garbage, or names another's session, opens nothing and hurts nobody", async () => {
  const [ann, bob] = await Promise.all([register(both.urls[0]), register(both.urls[1])]);
  const { sub: userId, sid: sessionId } = claimsOf(bob.token);
  const bytes = Buffer.from(ann.cookie?.split("=")[1] ?? "", "base64url");
  const hisSession = Buffer.from(bytes);
  Buffer.from((userId + sessionId).replaceAll("-", ""), "hex").copy(hisSession, 5);
  const later = Buffer.from(bytes);
  later.writeUInt32BE(1, 37);
  const keys = [
    "",
    "garbage",
    "A".repeat(98),
    randomBytes(73).toString("base64url"),
    hisSession.toString("base64url"),
    later.toString("base64url"),
    `${bytes.toString("base64url").slice(0, -1)}_`,
    bytes.subarray(0, 72).toString("base64url"),
    makeSessionKey("a secret that is not the platform's own", { userId, sessionId, generation: 0 }),
    "A".repeat(4000),
    "'; drop table users; --",
  ];
  for (const key of keys)
    for (const url of both.urls) {
      const answer = await holding(url, { cookie: `session_key=${key}` }).get(me);
      assert.equal(answer.status, 401, key);
      assertUntouched(answer);
    }
  for (const { cookie } of [ann, bob])
    assert.equal((await holding(both.urls[0], { cookie }).get(me)).status, 200);
});

test("credentials that are there twice are 400, and a token that is too long is 401 or 431", async () => {
  const ann = await register(both.urls[0]);
  const bearer = `Bearer ${ann.token}`;
  const { cookie = "" } = ann;
  const cases: [status: number, headers: [string, string][]][] = [
    [
      200,
      [
        ["authorization", bearer],
        ["cookie", cookie],
      ],
    ],
    [
      400,
      [
        ["authorization", bearer],
        ["authorization", bearer],
      ],
    ],
    [
      400,
      [
        ["authorization", bearer],
        ["Authorization", "Bearer garbage"],
      ],
    ],
    [401, [["authorization", `${bearer}, ${bearer}`]]],
    [401, [["authorization", bearer.replace("Bearer", "Basic")]]],
    [400, [["cookie", `${cookie}; ${cookie}`]]],
    [
      400,
      [
        ["cookie", cookie],
        ["cookie", "session_key=garbage"],
      ],
    ],
    [200, [["cookie", `a=b; ${cookie}; xsession_key=c`]]],
    [401, [["authorization", `Bearer ${"A".repeat(10 * 1024)}`]]],
    [431, [["authorization", `Bearer ${"A".repeat(16 * 1024)}`]]],
  ];
  for (const url of both.urls)
    for (const [status, headers] of cases)
      assert.equal(await statusOf(url, headers), status, JSON.stringify(headers).slice(0, 80));
});

test("headers that only the platform's processes may set do nothing when a client sends them", async () => {
  const [ann, bob] = await Promise.all([register(both.urls[0]), register(both.urls[1])]);
  const key = bob.cookie?.split("=")[1] ?? "";
  const headers = {
    "session-key": key,
    "service-credential": key,
    "client-ip": "203.0.113.9",
    "x-user-id": claimsOf(bob.token).sub,
    "x-forwarded-user": claimsOf(bob.token).sub,
  };
  const longAgo = Math.floor(Date.now() / 1000) - 60;
  const expired = await both.inside.sign({ ...claimsOf(ann.token), exp: longAgo });
  for (const url of both.urls) {
    const late = await holding(url, { token: expired }).post("/api/users/out", undefined, headers);
    assert.equal(late.status, 401);
    const nobody = await new Client(url).send("GET", me, undefined, headers);
    assert.equal(nobody.status, 401);
    const out = await new Client(url).post("/api/users/out", undefined, headers);
    assert.equal(out.status, 401);
    const own = await holding(url, ann).send<{ user: { id: string } }>(
      "GET",
      me,
      undefined,
      headers,
    );
    assert.equal(own.body.user.id, ann.id);
  }
  assert.equal((await bob.get(me)).status, 200, "his session was not ended by its key in a header");
});

function statusOf(url: string, headers: readonly [string, string][]): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const raw = ["host", new URL(url).host, ...headers.flat()];
    request(`${url}${me}`, { headers: raw }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on("error", reject)
      .end();
  });
}
