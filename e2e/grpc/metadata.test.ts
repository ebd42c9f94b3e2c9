import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBinaryHeader, encodeBinaryHeader } from "@connectrpc/connect";
import { startHop, testAllPairs } from "./hop.ts";

testAllPairs("metadata goes both ways, and trailers come back", async (pair) => {
  await using hop = await startHop(pair, {
    echo(_, context) {
      context.responseHeader.set("x-answer", `${context.requestHeader.get("x-question")}!`);
      context.responseTrailer.set("x-after", "all done");
      return {};
    },
  });
  const seen: (string | null)[] = [];
  await hop.client.echo(
    {},
    {
      headers: { "X-Question": "why" },
      onHeader: (header) => seen.push(header.get("x-answer")),
      onTrailer: (trailer) => seen.push(trailer.get("x-after")),
    },
  );
  assert.deepEqual(seen, ["why!", "all done"]);
});

testAllPairs("binary metadata arrives byte by byte", async (pair) => {
  const bytes = new Uint8Array(256).map((_, index) => index);
  await using hop = await startHop(pair, {
    echo(_, context) {
      const received = decodeBinaryHeader(context.requestHeader.get("x-key-bin") ?? "");
      context.responseHeader.set("x-head-bin", encodeBinaryHeader(received));
      context.responseTrailer.set("x-trail-bin", encodeBinaryHeader(received));
      return { payload: received };
    },
  });
  const back: Uint8Array[] = [];
  const response = await hop.client.echo(
    {},
    {
      headers: { "x-key-bin": encodeBinaryHeader(bytes) },
      onHeader: (header) => back.push(decodeBinaryHeader(header.get("x-head-bin") ?? "")),
      onTrailer: (trailer) => back.push(decodeBinaryHeader(trailer.get("x-trail-bin") ?? "")),
    },
  );
  assert.deepEqual([response.payload, ...back], [bytes, bytes, bytes]);
});

testAllPairs("a name given twice arrives with both values, in order", async (pair) => {
  await using hop = await startHop(pair, {
    echo(_, context) {
      context.responseTrailer.append("x-many", "three");
      context.responseTrailer.append("x-many", "four");
      return { text: context.requestHeader.get("x-many") ?? "" };
    },
  });
  let trailer: string | null = null;
  const response = await hop.client.echo(
    {},
    {
      headers: [
        ["x-many", "one"],
        ["x-many", "two"],
      ],
      onTrailer: (trailers) => {
        trailer = trailers.get("x-many");
      },
    },
  );
  assert.equal(response.text, "one, two");
  assert.equal(trailer, "three, four");
});

testAllPairs("Latin-1 metadata arrives as it was sent", async (pair) => {
  await using hop = await startHop(pair, {
    echo: (_, context) => ({ text: context.requestHeader.get("x-name") ?? "" }),
  });
  const response = await hop.client.echo({}, { headers: { "x-name": "Zoë Müller" } });
  assert.equal(response.text, "Zoë Müller");
});

testAllPairs("metadata that HTTP cannot carry fails before it is sent", async (pair) => {
  let calls = 0;
  await using hop = await startHop(pair, {
    echo() {
      calls += 1;
      return {};
    },
  });
  await assert.rejects(hop.client.echo({}, { headers: { "x-name": "名前" } }));
  await assert.rejects(hop.client.echo({}, { headers: { "x-name": "a\nb: c" } }));
  assert.equal(calls, 0);
});

testAllPairs("metadata cannot forge the protocol's own headers", async (pair) => {
  await using hop = await startHop(pair, {
    echo(_, context) {
      context.responseTrailer.set("x-ok", "yes");
      return { text: `${context.requestHeader.get("content-type")} ${context.timeoutMs()}` };
    },
  });
  const response = await hop.client.echo(
    { text: "plain" },
    { headers: { "content-type": "text/html", te: "gzip" } },
  );
  assert.equal(response.text, "application/grpc+proto undefined");
});

testAllPairs("metadata of some kilobytes fits", async (pair) => {
  await using hop = await startHop(pair, {
    echo(_, context) {
      context.responseHeader.set("x-large", context.requestHeader.get("x-large") ?? "");
      return {};
    },
  });
  const large = "x".repeat(12_000);
  let back: string | null = null;
  const onHeader = (header: Headers) => {
    back = header.get("x-large");
  };
  await hop.client.echo({}, { headers: { "x-large": large }, onHeader });
  assert.equal(back, large);
});

test("headers of an answer are made only when someone looks, and once", async () => {
  await using hop = await startHop(
    { client: "own", server: "own" },
    { echo: () => ({ text: "hello" }) },
    {
      client: {
        interceptors: [
          (next) => async (request) => {
            const response = await next(request);
            assert.equal(
              typeof Object.getOwnPropertyDescriptor(response, "header")?.get,
              "function",
            );
            assert.equal(response.header, response.header);
            assert.equal(response.trailer, response.trailer);
            return response;
          },
        ],
      },
    },
  );
  assert.equal((await hop.client.echo({})).text, "hello");
});
