import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { SigningKeySchema } from "@3l1/gen/user/v1/session_service_pb.ts";
import { create } from "@bufbuild/protobuf";
import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import {
  bearerOf,
  createTokenVerifier,
  tokenAudience,
  tokenIssuer,
  tokenType,
} from "./access-token.ts";
import { cacheSigningKeys } from "./signing-keys.ts";

const epoch = 1_800_000_000;
const claims: JWTPayload = { sid: "session", gen: 2, ep: 3, roles: ["user"], jti: "one" };

async function newKey() {
  const { privateKey, publicKey } = await generateKeyPair("EdDSA", { extractable: true });
  const jwk = await exportJWK(publicKey);
  const id = await calculateJwkThumbprint(jwk);
  return {
    privateKey,
    key: create(SigningKeySchema, { id, publicKey: Buffer.from(jwk.x ?? "", "base64url") }),
  };
}
type Key = Awaited<ReturnType<typeof newKey>>;

function sign({ privateKey, key }: Key, change: JWTPayload = {}, header: object = {}) {
  return new SignJWT({
    ...claims,
    iat: epoch,
    exp: epoch + 300,
    iss: tokenIssuer,
    aud: tokenAudience,
    sub: "user",
    ...change,
  })
    .setProtectedHeader({ alg: "EdDSA", typ: tokenType, kid: key.id, ...header })
    .sign(privateKey);
}

function setUp(...keys: Key[]) {
  const clock = { ms: epoch * 1000 };
  const fetches = { count: 0, keys: keys.map(({ key }) => key) };
  const source = cacheSigningKeys(
    async () => {
      fetches.count++;
      return fetches.keys;
    },
    () => clock.ms,
  );
  return { clock, fetches, verifier: createTokenVerifier(source, () => clock.ms) };
}

test("a genuine token is valid until it expires, and then expired, not invalid", async () => {
  const key = await newKey();
  const { clock, verifier } = setUp(key);
  const token = await sign(key);
  const verdict = await verifier.verify(token);
  assert.ok(verdict.state === "valid");
  assert.deepEqual(verdict.token.caller, {
    userId: "user",
    sessionId: "session",
    generation: 2,
    epoch: 3,
    isAdmin: false,
    expiresAtMs: (epoch + 300) * 1000,
  });
  clock.ms += 300_000;
  assert.equal((await verifier.verify(token)).state, "expired");
  assert.equal(
    (await setUpAt(clock.ms, key).verify(token)).state,
    "expired",
    "without the cache too",
  );
});

function setUpAt(ms: number, key: Key) {
  const { clock, verifier } = setUp(key);
  clock.ms = ms;
  return verifier;
}

test("a token with anything wrong is invalid", async () => {
  const [key, stranger] = await Promise.all([newKey(), newKey()]);
  const { verifier } = setUp(key);
  const good = await sign(key);
  const [header, payload, signature] = good.split(".");
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const hs256 = `${part({ alg: "HS256", typ: tokenType, kid: key.key.id })}.${payload}`;
  const bad: Record<string, string> = {
    "another key under a known id": await sign(stranger, {}, { kid: key.key.id }),
    "an unknown key": await sign(stranger),
    "alg none": `${part({ alg: "none", typ: tokenType })}.${payload}.`,
    "HS256 with the public key": `${hs256}.${createHmac("sha256", key.key.publicKey).update(hs256).digest("base64url")}`,
    "another issuer": await sign(key, { iss: "elsewhere" }),
    "another audience": await sign(key, { aud: "elsewhere" }),
    "another type": await sign(key, {}, { typ: "JWT" }),
    "issued in the future": await sign(key, { iat: epoch + 31 }),
    "no session": await sign(key, { sid: undefined }),
    "a changed payload": `${header}.${part({ ...claims, sub: "admin" })}.${signature}`,
    "expired and of another issuer": await sign(key, { iss: "elsewhere", exp: epoch - 1 }),
    "a key brought along": await sign(stranger, {}, { kid: undefined, jwk: { kty: "OKP" } }),
    "too long": `${good}${"A".repeat(16_384)}`,
    "not a token": "x",
    nothing: "",
  };
  for (const [what, token] of Object.entries(bad))
    assert.deepEqual(await verifier.verify(token), { state: "invalid" }, what);
  assert.equal((await verifier.verify(good)).state, "valid");
});

test("unknown key ids fetch the keys once in 30 s, however many ask", async () => {
  const [key, next] = await Promise.all([newKey(), newKey()]);
  const { clock, fetches, verifier } = setUp(key);
  const token = await sign(next);
  await Promise.all(Array.from({ length: 50 }, () => verifier.verify(token)));
  assert.equal(fetches.count, 1);
  fetches.keys = [key.key, next.key];
  assert.equal((await verifier.verify(token)).state, "invalid");
  clock.ms += 30_000;
  assert.equal((await verifier.verify(token)).state, "valid");
  assert.equal(fetches.count, 2);
});

test("keys that cannot be had are an error, not a bad token", async () => {
  const key = await newKey();
  const source = cacheSigningKeys(
    () => Promise.reject(new Error("away")),
    () => epoch * 1000,
  );
  await assert.rejects(
    createTokenVerifier(source, () => epoch * 1000).verify(await sign(key)),
    /away/,
  );
});

test("a bearer is taken from its header, whatever the case of the scheme", () => {
  assert.equal(bearerOf("Bearer a.b-c_d"), "a.b-c_d");
  assert.equal(bearerOf("bearer  a.b"), "a.b");
  for (const other of [undefined, null, "", "Basic a", "Bearer", "Bearer a b", "Bearera"])
    assert.equal(bearerOf(other), undefined);
});
