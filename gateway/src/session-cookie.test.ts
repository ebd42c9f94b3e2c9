import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectError } from "@connectrpc/connect";
import { createSessionCookie } from "./session-cookie.ts";

const read = (cookie: string | undefined, secure = true) =>
  createSessionCookie(secure).read({ headers: { ...(cookie !== undefined && { cookie }) } });

test("the session key is found among other cookies", () => {
  assert.equal(read("a=b; __Host-session_key=Key-1_2; c=d"), "Key-1_2");
  assert.equal(read("session_key=k", false), "k");
  assert.equal(read(undefined), undefined);
});

test("a cookie of a similar name is another cookie", () => {
  for (const cookie of [
    "session_key=k",
    "x__Host-session_key=k",
    "__Host-session_keys=k",
    "a=__Host-session_key=k",
  ])
    assert.equal(read(cookie), undefined, cookie);
});

test("what cannot be a session key is none", () => {
  for (const value of ["", "a b", "%41", "ü", '"k"', "k".repeat(513)])
    assert.equal(read(`__Host-session_key=${value}`), undefined, value);
});

test("two of them are refused, whatever is in them", () => {
  assert.throws(() => read("__Host-session_key=a; __Host-session_key=a"), ConnectError);
  assert.throws(() => read("__Host-session_key=;__Host-session_key=a"), ConnectError);
});
