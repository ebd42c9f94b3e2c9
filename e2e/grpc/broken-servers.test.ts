import assert from "node:assert/strict";
import http2, { type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { isTransportFailure, neverRan } from "@3l1/kit/grpc/error.ts";
import { createGrpcTransport } from "@3l1/kit/grpc/transport.ts";
import { type Client, Code, createClient } from "@connectrpc/connect";
import { ParityService } from "./gen/parity/v1/parity_pb.ts";
import { errorOf, stacks } from "./hop.ts";
import { frame, rawServer, responseBody } from "./raw-peer.ts";

type OnStream = (stream: ServerHttp2Stream, session: ServerHttp2Session) => void;

/** What a client makes of answers that no good server gives; the same in both implementations. */
function testBothClients(
  name: string,
  onStream: OnStream,
  body: (client: Client<typeof ParityService>) => Promise<void>,
) {
  for (const stack of stacks) {
    test(`${name} (${stack} client)`, async () => {
      await using server = await rawServer(onStream);
      await using transport = createGrpcTransport({ baseUrls: [server.url] }, stack);
      await body(createClient(ParityService, transport));
    });
  }
}

const ok = { ":status": 200, "content-type": "application/grpc+proto" };

/** Answers with these headers, this body and these trailers. */
const answering =
  (headers: http2.OutgoingHttpHeaders, body: Uint8Array, trailers?: http2.OutgoingHttpHeaders) =>
  (stream: ServerHttp2Stream) => {
    stream.respond({ ...ok, ...headers }, { waitForTrailers: trailers !== undefined });
    if (trailers) stream.on("wantTrailers", () => stream.sendTrailers(trailers));
    stream.end(body);
  };

/** Sends headers and a message, but neither trailers nor the end of the stream. */
function answerInPart(stream: ServerHttp2Stream, then: () => void): void {
  stream.respond(ok, { waitForTrailers: true });
  stream.on("wantTrailers", () => {});
  stream.write(hello, () => setImmediate(then));
}

/** The code that a call fails with. */
const expectCode = (code: Code) => async (client: Client<typeof ParityService>) => {
  const error = await errorOf(client.echo({ text: "hello" }));
  assert.equal(Code[error.code], Code[code], error.message);
};

const hello = frame(responseBody("hello"));
const zero = { "grpc-status": "0" };

testBothClients("a good answer is good", answering({}, hello, zero), async (client) => {
  assert.equal((await client.echo({})).text, "hello");
});

testBothClients(
  "an answer without trailers is internal",
  answering({}, hello),
  expectCode(Code.Internal),
);
testBothClients(
  "trailers without a status are internal",
  answering({}, hello, { "x-other": "1" }),
  expectCode(Code.Internal),
);
testBothClients(
  "success without a message is unimplemented",
  answering({}, Buffer.of(), zero),
  expectCode(Code.Unimplemented),
);
testBothClients(
  "success in the headers without a message is unknown",
  (stream) => stream.respond({ ...ok, ...zero }, { endStream: true }),
  expectCode(Code.Unknown),
);
testBothClients(
  "two messages are unimplemented",
  answering({}, Buffer.concat([hello, hello]), zero),
  expectCode(Code.Unimplemented),
);
testBothClients(
  "half a message is invalid_argument",
  answering({}, hello.subarray(0, 8), zero),
  expectCode(Code.InvalidArgument),
);
testBothClients(
  "a message that cannot be parsed is internal",
  answering({}, frame(Buffer.from([0x0a, 0xff, 0xff])), zero),
  expectCode(Code.Internal),
);
testBothClients(
  "a compressed message without an encoding is internal",
  answering({}, frame(gzipSync(responseBody("hello")), 1), zero),
  expectCode(Code.Internal),
);
testBothClients(
  "an encoding that was not offered is internal",
  answering({ "grpc-encoding": "snappy" }, hello, zero),
  expectCode(Code.Internal),
);
testBothClients(
  "an answer that is not gRPC is unknown",
  answering({ "content-type": "text/html" }, Buffer.from("<h1>hello</h1>")),
  expectCode(Code.Unknown),
);
testBothClients(
  "an unknown status is internal",
  answering({}, Buffer.of(), { "grpc-status": "4711" }),
  expectCode(Code.Internal),
);

testBothClients(
  "an error in the headers alone has its code, message and metadata",
  (stream) => {
    const status = { "grpc-status": "5", "grpc-message": "not%20here", "x-why": "because" };
    stream.respond({ ...ok, ...status }, { endStream: true });
  },
  async (client) => {
    const error = await errorOf(client.echo({}));
    assert.deepEqual([error.code, error.rawMessage], [Code.NotFound, "not here"]);
    assert.equal(error.metadata.get("x-why"), "because");
  },
);

for (const [status, code] of [
  [400, Code.Internal],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.Unimplemented],
  [429, Code.Unavailable],
  [500, Code.Unknown],
  [502, Code.Unavailable],
  [503, Code.Unavailable],
] as const) {
  testBothClients(
    `HTTP ${status} without a gRPC status is ${Code[code]}`,
    answering({ ":status": status, "content-type": "text/plain" }, Buffer.from("no")),
    expectCode(code),
  );
}

const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR, NGHTTP2_NO_ERROR, NGHTTP2_REFUSED_STREAM } =
  http2.constants;

for (const rstCode of [NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR]) {
  testBothClients(
    `a reset with code ${rstCode} is unavailable, and may have run`,
    (stream) => stream.close(rstCode),
    async (client) => {
      const error = await errorOf(client.echo({}));
      assert.equal(error.code, Code.Unavailable);
      assert.deepEqual([isTransportFailure(error), neverRan(error)], [true, false]);
    },
  );
}

testBothClients(
  "a refused stream is unavailable, and never ran",
  (stream) => stream.close(NGHTTP2_REFUSED_STREAM),
  async (client) => {
    const error = await errorOf(client.echo({}));
    assert.equal(error.code, Code.Unavailable);
    assert.deepEqual([isTransportFailure(error), neverRan(error)], [true, true]);
  },
);

testBothClients(
  "a connection cut in the middle of a call is unavailable, and may have run",
  (_, session) => session.destroy(),
  async (client) => {
    const error = await errorOf(client.echo({}));
    assert.equal(error.code, Code.Unavailable);
    assert.deepEqual([isTransportFailure(error), neverRan(error)], [true, false]);
  },
);

test("a connection cut in the middle of the answer is unavailable, and may have run", async () => {
  const cuts: OnStream[] = [
    (_, session) => session.destroy(),
    (_, session) => (session.socket as Socket).destroySoon(),
    (stream) => stream.close(NGHTTP2_INTERNAL_ERROR),
    (stream) => stream.close(NGHTTP2_CANCEL),
  ];
  for (const cut of cuts) {
    await using server = await rawServer((stream, session) => {
      answerInPart(stream, () => cut(stream, session));
    });
    await using transport = createGrpcTransport({ baseUrls: [server.url] }, "own");
    const error = await errorOf(createClient(ParityService, transport).echo({}));
    assert.equal(error.code, Code.Unavailable);
    assert.deepEqual([isTransportFailure(error), neverRan(error)], [true, false]);
  }
});

testBothClients(
  "a GOAWAY with an error is unavailable",
  (_, session) => session.goaway(NGHTTP2_INTERNAL_ERROR),
  expectCode(Code.Unavailable),
);

/** Says goodbye, and resets the connection once the client has surely heard it. */
const leave: OnStream = ({ id }, session) => {
  session.goaway(NGHTTP2_NO_ERROR, id);
  session.ping(() => (session.socket as Socket).resetAndDestroy());
};

for (const method of ["echo", "count"] as const) {
  testBothClients(
    `a connection that is reset after a GOAWAY, before the answer, is unavailable (${method})`,
    leave,
    async (client) => {
      const call = async () => {
        if (method === "echo") return client.echo({});
        for await (const _ of client.count({}));
      };
      const error = await errorOf(call());
      assert.equal(error.code, Code.Unavailable);
      assert.deepEqual([isTransportFailure(error), neverRan(error)], [true, false]);
    },
  );
}

const endings: Record<string, OnStream> = {
  cut: (stream) => stream.close(NGHTTP2_CANCEL),
  "reset after a GOAWAY": leave,
};
for (const [ending, end] of Object.entries(endings)) {
  testBothClients(
    `a stream of answers that is ${ending} is unavailable`,
    (stream, session) => answerInPart(stream, () => end(stream, session)),
    async (client) => {
      const seen: string[] = [];
      const call = (async () => {
        for await (const { text } of client.count({})) seen.push(text);
      })();
      assert.equal((await errorOf(call)).code, Code.Unavailable);
      assert.deepEqual(seen, ["hello"]);
    },
  );
}

test("an answer over the limit is refused before it is read to the end", async () => {
  await using server = await rawServer((stream) => {
    stream.respond(ok);
    stream.write(frame(Buffer.alloc(100), 0, 100_000_000));
  });
  await using transport = createGrpcTransport({ baseUrls: [server.url] }, "own");
  const error = await errorOf(createClient(ParityService, transport).echo({}));
  assert.equal(error.code, Code.ResourceExhausted);
});

test("a status whose message cannot be decoded keeps its code", async () => {
  const trailers = { "grpc-status": "9", "grpc-message": "100% wrong" };
  await using server = await rawServer(answering({}, Buffer.of(), trailers));
  await using transport = createGrpcTransport({ baseUrls: [server.url] }, "own");
  const error = await errorOf(createClient(ParityService, transport).echo({}));
  assert.deepEqual([error.code, error.rawMessage], [Code.FailedPrecondition, "100% wrong"]);
});
