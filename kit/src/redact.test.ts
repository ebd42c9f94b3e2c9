import assert from "node:assert/strict";
import { test } from "node:test";
import { withoutSecrets } from "./redact.ts";

test("secrets are replaced, at the top and up to two levels below, also in lists", () => {
  const logged = {
    password: "p1",
    body: { token: "p2", headers: { authorization: "p3", "set-cookie": ["p4"] } },
    calls: [{ sessionKey: "p5" }, { method: "GET" }],
    requestId: "r",
  };
  assert.deepEqual(withoutSecrets(logged), {
    password: "[redacted]",
    body: {
      token: "[redacted]",
      headers: { authorization: "[redacted]", "set-cookie": "[redacted]" },
    },
    calls: [{ sessionKey: "[redacted]" }, { method: "GET" }],
    requestId: "r",
  });
  assert.equal(logged.body.headers.authorization, "p3", "what is logged is not changed");
});

test("what holds no secret is passed on as it is", () => {
  const error = Object.assign(new Error("failed"), { password: "p" });
  for (const logged of [{ requestId: "r", at: new Date(0), none: null }, { err: error }])
    assert.equal(withoutSecrets(logged), logged);
});
