import assert from "node:assert/strict";
import { Code } from "@connectrpc/connect";
import { errorOf, startHop, testAllPairs } from "./hop.ts";

const MIB = 1024 * 1024;

testAllPairs("an empty message goes there and back", async (pair) => {
  await using hop = await startHop(pair, { echo: () => ({}) });
  const response = await hop.client.echo({});
  assert.equal(response.$typeName, "parity.v1.EchoResponse");
  assert.equal(response.text, "");
});

testAllPairs("a message of just under 4 MiB goes both ways", async (pair) => {
  await using hop = await startHop(pair, { echo: ({ payload }) => ({ payload }) });
  const payload = new Uint8Array(4 * MIB - 16).map((_, index) => index);
  const response = await hop.client.echo({ payload });
  assert.equal(Buffer.compare(response.payload, payload), 0);
});

testAllPairs("bytes are a plain Uint8Array of their own", async (pair) => {
  await using hop = await startHop(pair, {
    echo({ payload }) {
      assert.equal(payload.constructor, Uint8Array);
      return { payload };
    },
  });
  const { payload } = await hop.client.echo({ payload: new Uint8Array([1, 2, 3]) });
  assert.equal(payload.constructor, Uint8Array);
  assert.ok(payload.buffer.byteLength < 1024, "does not hold the connection's read buffer");
});

testAllPairs(
  "a request over the server's limit is resource_exhausted, and never runs",
  async (pair) => {
    let calls = 0;
    const echo = () => {
      calls += 1;
      return {};
    };
    await using hop = await startHop(pair, { echo });
    const tooLarge = { payload: new Uint8Array(4 * MIB + 1) };
    assert.equal((await errorOf(hop.client.echo(tooLarge))).code, Code.ResourceExhausted);
    assert.equal(calls, 0);
    await hop.client.echo({ text: "the connection still works" });
  },
);

testAllPairs("an answer over the client's limit is resource_exhausted", async (pair) => {
  const setup = { client: { readMaxBytes: 1_000 } };
  const echo = ({ text }: { text: string }) => ({ text: text.repeat(1_000) });
  await using hop = await startHop(pair, { echo }, setup);
  assert.equal((await errorOf(hop.client.echo({ text: "xy" }))).code, Code.ResourceExhausted);
  assert.equal((await hop.client.echo({ text: "" })).text, "");
});

testAllPairs("a stream of answers arrives in order", async (pair) => {
  await using hop = await startHop(pair, {
    async *count({ upTo }) {
      for (let number = 1; number <= upTo; number++) yield { text: String(number) };
    },
  });
  const seen: string[] = [];
  for await (const { text } of hop.client.count({ upTo: 5 })) seen.push(text);
  assert.deepEqual(seen, ["1", "2", "3", "4", "5"]);
});

testAllPairs("a handler may give part of a message, as an object or a promise", async (pair) => {
  const setup = {};
  await using plain = await startHop(pair, { echo: () => ({ text: "a" }) }, setup);
  await using later = await startHop(pair, { echo: async () => ({ text: "b" }) }, setup);
  assert.equal((await plain.client.echo({})).text, "a");
  assert.equal((await later.client.echo({})).text, "b");
});
