import assert from "node:assert/strict";
import { test } from "node:test";
import { isTransportFailure, neverRan } from "@3l1/kit/grpc/error.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { EchoRequestSchema, ParityService } from "./gen/parity/v1/parity_pb.ts";
import { errorOf, stacks, startHop, testAllPairs } from "./hop.ts";

const codes = Object.values(Code).filter((code) => typeof code === "number");

testAllPairs("every code comes back with its message", async (pair) => {
  await using hop = await startHop(pair, {
    echo({ text }) {
      throw new ConnectError(`code ${text}`, Number(text));
    },
  });
  for (const code of codes) {
    const error = await errorOf(hop.client.echo({ text: String(code) }));
    // Nobody here cancelled: a service that says so has failed.
    const expected = code === Code.Canceled ? Code.Unavailable : code;
    assert.equal(error.code, expected);
    assert.match(error.rawMessage, new RegExp(`code ${code}$`));
    assert.equal(isTransportFailure(error), false);
  }
});

testAllPairs("details, metadata and a message in any script come with an error", async (pair) => {
  await using hop = await startHop(pair, {
    echo(_, context) {
      context.responseTrailer.set("x-trailer", "t");
      const details = [
        { desc: EchoRequestSchema, value: { text: "first" } },
        { desc: EchoRequestSchema, value: { text: "second" } },
      ];
      throw new ConnectError("100 % nö 名前 🙂", Code.NotFound, { "x-meta": "m" }, details);
    },
  });
  const error = await errorOf(hop.client.echo({}));
  assert.equal(error.code, Code.NotFound);
  assert.equal(error.rawMessage, "100 % nö 名前 🙂");
  assert.equal(error.metadata.get("x-meta"), "m");
  assert.equal(error.metadata.get("x-trailer"), "t");
  const details = error.findDetails(EchoRequestSchema).map(({ text }) => text);
  assert.deepEqual(details, ["first", "second"]);
});

testAllPairs("headers set before an error arrive with it", async (pair) => {
  await using hop = await startHop(pair, {
    echo(_, context) {
      context.responseHeader.set("x-head", "h");
      throw new ConnectError("no", Code.Aborted);
    },
  });
  const error = await errorOf(hop.client.echo({}));
  assert.equal(error.code, Code.Aborted);
  assert.equal(error.metadata.get("x-head"), "h");
});

testAllPairs("an unknown error is internal, and its message stays inside", async (pair) => {
  const failures = [new Error("secret"), "secret", undefined, new TypeError("secret")];
  await using hop = await startHop(pair, {
    echo({ text }) {
      throw failures[Number(text)];
    },
  });
  for (const index of [0, 1, 3]) {
    const error = await errorOf(hop.client.echo({ text: String(index) }));
    assert.equal(error.code, Code.Internal);
    assert.equal(error.rawMessage, "internal error");
  }
});

testAllPairs("an error that came from another service does not leak its metadata", async (pair) => {
  await using behind = await startHop(pair, {
    echo() {
      throw new ConnectError("not here", Code.NotFound, { "x-internal": "secret" });
    },
  });
  await using hop = await startHop(pair, { echo: (request) => behind.client.echo(request) });
  const error = await errorOf(hop.client.echo({}));
  assert.equal(error.code, Code.NotFound);
  assert.equal(error.metadata.get("x-internal"), null);
});

testAllPairs("a method without a handler is unimplemented", async (pair) => {
  await using hop = await startHop(pair, {});
  const error = await errorOf(hop.client.echo({}));
  assert.equal(error.code, Code.Unimplemented);
  assert.match(error.rawMessage, /parity\.v1\.ParityService\.Echo is not implemented/);
});

test("a message that is not well-formed Unicode still gets its code across", async () => {
  await using hop = await startHop(
    { client: "own", server: "own" },
    {
      echo() {
        throw new ConnectError("broken \ud800 text", Code.OutOfRange);
      },
    },
  );
  const error = await errorOf(hop.client.echo({}));
  assert.equal(error.code, Code.OutOfRange);
  assert.equal(error.rawMessage, "broken \ufffd text");
});

for (const stack of stacks) {
  test(`a refused connection is unavailable, and provably never ran (${stack} client)`, async () => {
    const hop = await startHop({ client: stack, server: "own" }, {});
    await hop[Symbol.asyncDispose]();
    await using transport = createGrpcTransport(
      { baseUrls: [`http://127.0.0.1:${hop.port}`] },
      stack,
    );
    const error = await errorOf(createClient(ParityService, transport).echo({}));
    assert.equal(error.code, Code.Unavailable);
    assert.equal(isTransportFailure(error), true);
    assert.equal(neverRan(error), true);
  });

  test(`a name that does not resolve is unavailable, and provably never ran (${stack} client)`, async () => {
    const baseUrls = ["http://does-not-exist.invalid:50051"];
    await using transport = createGrpcTransport({ baseUrls }, stack);
    const error = await errorOf(createClient(ParityService, transport).echo({}));
    assert.equal(error.code, Code.Unavailable);
    assert.equal(neverRan(error), true);
  });
}

test("an error too large for the headers keeps its code, and the connection lives", async () => {
  const detail = { desc: EchoRequestSchema, value: { text: "d".repeat(100_000) } };
  await using hop = await startHop(
    { client: "own", server: "own" },
    {
      echo({ text }, context) {
        if (text === "metadata") context.responseHeader.set("x-large", "m".repeat(100_000));
        if (text === "answer") {
          context.responseTrailer.set("x-large", "t".repeat(100_000));
          return {};
        }
        throw new ConnectError("名".repeat(50_000), Code.OutOfRange, undefined, [detail]);
      },
    },
  );
  const sessions = new Set<unknown>();
  hop.server.server.on("session", (session) => sessions.add(session));
  for (const text of ["details", "metadata"]) {
    const error = await errorOf(hop.client.echo({ text }));
    assert.equal(error.code, Code.OutOfRange);
    assert.match(error.rawMessage, /^名+$/);
  }
  const error = await errorOf(hop.client.echo({ text: "answer" }));
  assert.equal(error.code, Code.ResourceExhausted);
  assert.equal(sessions.size, 1);
});

test("request metadata that no server takes fails here, and the connection lives", async () => {
  await using hop = await startHop({ client: "own", server: "own" }, { echo: () => ({}) });
  const sessions = new Set<unknown>();
  hop.server.server.on("session", (session) => sessions.add(session));
  const headers = { "x-large": "x".repeat(100_000) };
  const error = await errorOf(hop.client.echo({}, { headers }));
  assert.equal(error.code, Code.ResourceExhausted);
  await hop.client.echo({});
  assert.equal(sessions.size, 1);
});
