import assert from "node:assert/strict";
import { test } from "node:test";
import { receivedHeaders } from "./received-headers.ts";

const received = {
  ":path": "/x",
  authorization: "Bearer t",
  "set-cookie": ["a=1", "b=2"],
  "x-list": "1, 2",
  "x-padded": " in the middle\t",
  "x-empty": "",
};
/** What plain `Headers` make of them. */
function plain(): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(received))
    if (!name.startsWith(":")) for (const each of [value].flat()) headers.append(name, each);
  return headers;
}

test("looking a header up is as with plain Headers, before and after they are built", () => {
  const names = ["authorization", "Authorization", "set-cookie", "x-list", "x-padded", "x-empty"];
  for (const headers of [receivedHeaders(received), built()])
    for (const name of [...names, "x-missing", "constructor"]) {
      assert.equal(headers.get(name), plain().get(name), name);
      assert.equal(headers.has(name), plain().has(name), name);
    }
  assert.throws(() => receivedHeaders(received).get("not a name"), TypeError);
});

function built(): Headers {
  const headers = receivedHeaders(received);
  assert.equal([...headers].length, 6);
  return headers;
}

test("whatever way one goes through them, they are all there, and no pseudo-header", () => {
  const fresh = () => receivedHeaders(received);
  assert.deepEqual([...fresh()], [...plain()]);
  assert.deepEqual([...fresh().entries()], [...plain().entries()]);
  assert.deepEqual([...fresh().keys()], [...plain().keys()]);
  assert.deepEqual([...fresh().values()], [...plain().values()]);
  assert.deepEqual(fresh().getSetCookie(), ["a=1", "b=2"]);
  assert.deepEqual([...new Headers(fresh())], [...plain()]);
  const seen: string[] = [];
  fresh().forEach((value, name) => {
    seen.push(`${name}: ${value}`);
  });
  assert.equal(seen.length, 6);
  assert.ok(fresh() instanceof Headers);
});

test("a change holds, and leaves the rest as it was received", () => {
  const headers = receivedHeaders(received);
  headers.set("authorization", "Bearer u");
  headers.append("x-list", "3");
  headers.delete("x-empty");
  assert.equal(headers.get("authorization"), "Bearer u");
  assert.equal(headers.get("x-list"), "1, 2, 3");
  assert.equal(headers.has("x-empty"), false);
  assert.equal(headers.get("x-padded"), "in the middle");
});

test("without anything received there is nothing", () => {
  assert.deepEqual([...receivedHeaders(undefined)], []);
  assert.equal(receivedHeaders(undefined).get("authorization"), null);
});
