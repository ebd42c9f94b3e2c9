import assert from "node:assert/strict";
import { after, test } from "node:test";
import { startGateway } from "../test/gateway.ts";

const gateway = await startGateway(process.env.TEST_REDIS_URL);
after(() => gateway[Symbol.asyncDispose]());

test("the public keys can be read and kept for a while", async () => {
  const response = await gateway.fetch("/.well-known/jwks.json");
  assert.match(response.headers.get("cache-control") ?? "", /^public, max-age=\d+$/);
  const { keys } = (await response.json()) as { keys: Record<string, string>[] };
  const { kid, x } = keys[0] ?? {};
  assert.deepEqual(keys, [{ kty: "OKP", crv: "Ed25519", alg: "EdDSA", use: "sig", kid, x }]);
  assert.equal(kid, gateway.tokens.key.id);
});
