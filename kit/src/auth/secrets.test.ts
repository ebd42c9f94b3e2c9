import assert from "node:assert/strict";
import { test } from "node:test";
import { createServiceCredential, deriveKeys } from "./secrets.ts";

const [first, second] = ["a".repeat(32), "b".repeat(32)] as [string, string];

test("each secret and each purpose brings another key, always the same", () => {
  const keys = [
    ...deriveKeys([first, second], "session-key"),
    ...deriveKeys([first], "page-token"),
  ];
  assert.equal(new Set(keys.map((key) => key.toString("hex"))).size, 3);
  assert.deepEqual(
    deriveKeys([first], "session-key"),
    deriveKeys([first, second], "session-key").slice(0, 1),
  );
});

test("a credential of a retired secret is still accepted, and the newest is sent", () => {
  const old = createServiceCredential([first]);
  const current = createServiceCredential([second, first]);
  assert.ok(current.accepts(old.value));
  assert.ok(current.accepts(current.value));
  assert.ok(!old.accepts(current.value));
});

test("no credential, an empty one and a longer one are refused", () => {
  const credential = createServiceCredential([first]);
  for (const bad of [null, undefined, "", "AAAA", `${credential.value}AAAA`])
    assert.ok(!credential.accepts(bad), `accepted ${bad}`);
});
